"""A server on the loopback that speaks S3 and checks signatures, with a bucket
named "bucket". Prints "port key secret" and serves until it is ended."""
import json
import os
import time

# That many calls make the user below; all later ones must be signed by it.
os.environ["INITIAL_NO_AUTH_ACTION_COUNT"] = "4"
import boto3
from moto.server import ThreadedMotoServer

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
port = server.get_host_and_port()[1]
given = dict(endpoint_url=f"http://127.0.0.1:{port}", region_name="us-east-1",
             aws_access_key_id="setup", aws_secret_access_key="setup")
iam = boto3.client("iam", **given)
iam.create_user(UserName="ci")
everything = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
iam.put_user_policy(UserName="ci", PolicyName="all",
                    PolicyDocument=json.dumps(everything))
key = iam.create_access_key(UserName="ci")["AccessKey"]
boto3.client("s3", **given).create_bucket(Bucket="bucket")
print(port, key["AccessKeyId"], key["SecretAccessKey"], flush=True)
time.sleep(600)
