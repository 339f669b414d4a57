"""Makes a namespace and waits until it is ready: how any platform service calls Stowage.

    pip install grpcio grpcio-tools googleapis-common-protos
    python docs/examples/create_namespace.py --server 127.0.0.1:7070 --token-file operator.token \
        tenants/acme/projects/vision demo --class storageClasses/scratch --bytes 16777216
"""

import argparse
import importlib
import pathlib
import sys
import tempfile
import uuid

import grpc
from google.protobuf import duration_pb2
from grpc_tools import protoc

PROTO = pathlib.Path(__file__).resolve().parents[2] / "proto"


def contract():
    """The modules that protoc makes of the contract, as (messages by file, services by file)."""
    out = tempfile.mkdtemp(prefix="stowage-proto-")
    files = sorted(str(path.relative_to(PROTO)) for path in (PROTO / "stowage/v1").glob("*.proto"))
    includes = [f"-I{PROTO}", f"-I{PROTO / 'third_party'}", f"-I{pathlib.Path(protoc.__file__).parent / '_proto'}"]
    if protoc.main(["protoc", *includes, f"--python_out={out}", f"--grpc_python_out={out}", *files]) != 0:
        sys.exit("the contract does not compile")
    sys.path.insert(0, out)
    module = importlib.import_module
    return (
        module("stowage.v1.namespaces_pb2"),
        module("stowage.v1.operations_pb2"),
        module("stowage.v1.common_pb2"),
        module("stowage.v1.namespaces_pb2_grpc").NamespaceServiceStub,
        module("stowage.v1.operations_pb2_grpc").OperationServiceStub,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parent", help="tenants/{tenant}/projects/{project}")
    parser.add_argument("namespace_id")
    parser.add_argument("--class", dest="storage_class", default="", help="storageClasses/{class}")
    parser.add_argument("--bytes", type=int, required=True, help="quota")
    parser.add_argument("--server", default="127.0.0.1:7070")
    parser.add_argument("--token-file", required=True)
    arguments = parser.parse_args()

    namespaces, operations, common, NamespaceService, OperationService = contract()
    token = pathlib.Path(arguments.token_file).read_text().strip()
    authorized = [("authorization", f"Bearer {token}")]
    channel = grpc.insecure_channel(arguments.server)

    request = namespaces.CreateNamespaceRequest(
        parent=arguments.parent,
        namespace_id=arguments.namespace_id,
        namespace=namespaces.Namespace(
            storage_class=arguments.storage_class,
            quota=common.Quota(hard_bytes=arguments.bytes),
        ),
        # The same id again gives the same operation: a lost answer is no reason to fear a second namespace.
        request_id=str(uuid.uuid4()),
    )
    try:
        operation = NamespaceService(channel).CreateNamespace(request, metadata=authorized)
        while not operation.done:
            wait = operations.WaitOperationRequest(name=operation.name, timeout=duration_pb2.Duration(seconds=10))
            operation = OperationService(channel).WaitOperation(wait, metadata=authorized)
    except grpc.RpcError as error:
        sys.exit(f"{error.code().name}: {error.details()}")
    if operation.HasField("error"):
        sys.exit(f"failed: {operation.error.message}")
    namespace = namespaces.Namespace()
    operation.response.Unpack(namespace)
    state = namespaces.NamespaceState.Name(namespace.state)
    print(f"{namespace.name} is {state} on {namespace.provider} with {namespace.quota.hard_bytes} bytes")


if __name__ == "__main__":
    main()
