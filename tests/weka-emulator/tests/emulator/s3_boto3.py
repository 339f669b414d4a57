"""What a user of boto3 does with the S3 port: argv is the URL, an access key and its secret."""

import sys

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError

url, access_key, secret_key = sys.argv[1:]
# The documents know MD5 only: newer SDKs must be told.
config = Config(
    signature_version="s3v4",
    s3={"addressing_style": "path"},
    request_checksum_calculation="when_required",
    response_checksum_validation="when_required",
    retries={"total_max_attempts": 1},
)
options = {"endpoint_url": url, "region_name": "us-east-1", "config": config}
keys = {"aws_access_key_id": access_key, "aws_secret_access_key": secret_key}

POLICY = """{"Version":"2012-10-17","Statement":[
{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject","s3:DeleteObject"],"Resource":["arn:aws:s3:::data/a/*"]},
{"Effect":"Allow","Action":["s3:ListBucket"],"Resource":["arn:aws:s3:::data"],
"Condition":{"StringLike":{"s3:prefix":"a/*"}}}]}"""


def refused(code, call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error
    else:
        raise AssertionError(f"{arguments} was not refused")


user = boto3.client("s3", **keys, **options)
user.put_object(Bucket="data", Key="b/secret", Body=b"not yours")
sts = boto3.client("sts", **keys, **options)
made = sts.assume_role(RoleArn="arn:x:ignored:by:weka-s3:", RoleSessionName="ignored", Policy=POLICY, DurationSeconds=900)
made = made["Credentials"]
session = boto3.client(
    "s3",
    aws_access_key_id=made["AccessKeyId"],
    aws_secret_access_key=made["SecretAccessKey"],
    aws_session_token=made["SessionToken"],
    **options,
)

session.put_object(Bucket="data", Key="a/one é.txt", Body=b"first", Metadata={"k": "v"}, ContentType="text/plain")
got = session.get_object(Bucket="data", Key="a/one é.txt")
assert (got["Body"].read(), got["Metadata"], got["ContentType"]) == (b"first", {"k": "v"}, "text/plain"), got
with open(__file__, "rb") as text:
    session.upload_fileobj(text, "data", "a/streamed")
assert session.head_object(Bucket="data", Key="a/streamed")["ContentLength"] > 1000
big = bytes(range(256)) * 4096 * 11
import io

session.upload_fileobj(io.BytesIO(big), "data", "a/big", Config=TransferConfig(multipart_threshold=1, use_threads=False))
assert session.head_object(Bucket="data", Key="a/big")["ETag"].endswith('-2"')
assert session.get_object(Bucket="data", Key="a/big", Range="bytes=8388600-8388615")["Body"].read() == big[8388600:8388616]
pages = session.get_paginator("list_objects_v2").paginate(Bucket="data", Prefix="a/", PaginationConfig={"PageSize": 2})
assert [row["Key"] for page in pages for row in page["Contents"]] == ["a/big", "a/one é.txt", "a/streamed"]

refused("AccessDenied", session.get_object, Bucket="data", Key="b/secret")
refused("AccessDenied", session.put_object, Bucket="data", Key="b/new", Body=b"")
refused("AccessDenied", session.list_objects_v2, Bucket="data")
refused("AccessDenied", session.list_objects_v2, Bucket="data", Prefix="b/")
refused("AccessDenied", session.copy_object, Bucket="data", Key="a/c", CopySource="data/b/secret")
refused("AccessDenied", session.list_buckets)
refused("NoSuchKey", session.get_object, Bucket="data", Key="a/none")
refused("QuotaExceeded", session.put_object, Bucket="data", Key="a/huge", Body=bytes(8 << 20))

import urllib.request

link = session.generate_presigned_url("get_object", Params={"Bucket": "data", "Key": "a/one é.txt"}, ExpiresIn=60)
assert urllib.request.build_opener(urllib.request.ProxyHandler({})).open(link).read() == b"first"
keys = [{"Key": "a/big"}, {"Key": "b/secret"}, {"Key": "a/streamed"}]
gone = session.delete_objects(Bucket="data", Delete={"Objects": keys})
assert sorted(row["Key"] for row in gone["Deleted"]) == ["a/big", "a/streamed"], gone
assert [row["Code"] for row in gone["Errors"]] == ["AccessDenied"], gone
assert user.get_object(Bucket="data", Key="b/secret")["Body"].read() == b"not yours"
print("done")
