"""The committed template read as CloudFormation reads it, and made real in moto through the ordinary AWS API."""
