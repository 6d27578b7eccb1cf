"""The local cloud: the committed template, deployed into moto in one process, under virtual time.

`foreword.local.cloud.LocalCloud` is the door; `foreword_cloud` (pytest_plugin) is the same as a fixture.
Importing this package imports neither moto nor boto3 and changes nothing: everything is installed when a
cloud starts and taken away when it stops.
"""
