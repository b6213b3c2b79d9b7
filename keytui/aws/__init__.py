"""AWS: the gateway, sign-in, the translation of its errors; below it AWS's files and the demo.

The only package that imports boto3, botocore and moto. It returns the nouns of ``core``.
"""
