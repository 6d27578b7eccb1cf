"""The AWS resources of Foreword, as a CDK app. What it synthesizes is what the local cloud runs as well."""
