"""Uses a credential of Stowage's with boto3: inside its prefix everything that it was issued for, outside nothing.

    stowage credential issue ... -o json | python s3_client.py

Needs `boto3`. The answer is read from standard input, so that no secret stands in a command line or in a file.
"""

import json
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError


def client(keys):
    """An S3 client that signs with these keys."""
    return boto3.client(
        "s3",
        endpoint_url=keys["endpoint"],
        region_name=keys["region"],
        aws_access_key_id=keys["accessKeyId"],
        aws_secret_access_key=keys["secretAccessKey"],
        aws_session_token=keys.get("sessionToken") or None,
        # Buckets are paths, and checksums beyond MD5 are unknown to many S3 services.
        config=Config(
            s3={"addressing_style": "path"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            retries={"max_attempts": 1},
        ),
    )


def outcome(call, **arguments):
    """The answer, or the code of the refusal."""
    try:
        return call(**arguments), "done"
    except ClientError as error:
        return None, error.response["Error"]["Code"]


def main():
    keys = json.load(sys.stdin)["keys"][0]
    s3, bucket, prefix = client(keys), keys["bucket"], keys.get("prefix", "")
    inside, outside = f"{prefix}from-s3.txt", "elsewhere/from-s3.txt"

    _, put = outcome(s3.put_object, Bucket=bucket, Key=inside, Body=b"written over S3")
    print(f"put {inside}: {put}")
    found, get = outcome(s3.get_object, Bucket=bucket, Key=inside)
    print(f"get {inside}: {found['Body'].read().decode() if found else get}")
    listed, code = outcome(s3.list_objects_v2, Bucket=bucket, Prefix=prefix)
    names = [entry["Key"] for entry in listed.get("Contents", [])] if listed else code
    print(f"list {prefix}: {names}")

    for name, call, arguments in [
        (f"put {outside}", s3.put_object, {"Key": outside, "Body": b"x"}),
        (f"get {outside}", s3.get_object, {"Key": outside}),
        ("list of the whole bucket", s3.list_objects_v2, {}),
        (f"delete {outside}", s3.delete_object, {"Key": outside}),
    ]:
        print(f"{name}: {outcome(call, Bucket=bucket, **arguments)[1]}")


if __name__ == "__main__":
    main()
