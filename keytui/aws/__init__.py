"""The only importer of boto3, botocore and moto."""
