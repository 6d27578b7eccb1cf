"""moto's SES v2 forgets an e-mail's tags, headers and text part, and sends with a configuration set that is not
there.

Mend: an unknown configuration set is refused (NotFoundException), and each accepted request is handed to
`accepted` whole: its parameters as the SDK sent them, and the message id.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeAlias

from moto.ses.exceptions import NotFoundException
from moto.sesv2.responses import SESV2Response

from foreword.local.mends.patching import patched

Accepted: TypeAlias = Callable[[Mapping[str, Any], str], None]


@contextmanager
def mail_is_kept_whole(accepted: Accepted) -> Iterator[None]:
    original = SESV2Response.send_email

    def send_email(self: SESV2Response) -> str:
        parameters = json.loads(self.body)
        wanted = parameters.get("ConfigurationSetName")
        if wanted and wanted not in self.sesv2_backend.core_backend.config_sets:
            raise NotFoundException(f"Configuration set <{wanted}> does not exist.")
        answer: str = original(self)
        accepted(parameters, json.loads(answer)["MessageId"])
        return answer

    with patched(SESV2Response, "send_email", send_email):
        yield
