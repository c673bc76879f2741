"""A real mail server on loopback for the stories: it prints its port, then every mail that it took, as JSON.

It does what the lines on its standard input say, and ends with it:
  {"always": {"<reader>": "<answer>"}}     is answered to every RCPT of that reader
  {"next": {"<reader>": ["<answer>", …]}}  is answered to the next mails for that reader, after their DATA
"""

import asyncio
import email
import email.policy
import json
import logging
import sys
import warnings

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

# It warns of passwords that are not encrypted; nobody but this machine hears them.
warnings.simplefilter("ignore")
logging.disable(logging.WARNING)
USER, PASSWORD = b"stories", b"password-of-the-stories"
always, following = {}, {}


def say(thing):
    print(json.dumps(thing), flush=True)


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        if address in always:
            return always[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        for reader in envelope.rcpt_tos:
            if following.get(reader):
                return following[reader].pop(0)
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        headers = {name.lower(): str(value) for name, value in mail.items()}
        say({
            "mail": {
                "from": envelope.mail_from,
                "to": envelope.rcpt_tos,
                "headers": headers,
                "body": mail.get_content(),
                "connection": session.peer[1],
            }
        })
        return "250 OK"


def known(server, session, envelope, mechanism, data):
    authentic = isinstance(data, LoginPassword) and (data.login, data.password) == (USER, PASSWORD)
    return AuthResult(success=authentic)


async def main():
    loop = asyncio.get_running_loop()

    def begun():
        return SMTP(Handler(), authenticator=known, auth_required=True, auth_require_tls=False)

    server = await loop.create_server(begun, "127.0.0.1", int(sys.argv[1]))
    say({"port": server.sockets[0].getsockname()[1]})
    lines = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        asked = json.loads(line)
        always.clear()
        following.clear()
        always.update(asked.get("always", {}))
        following.update(asked.get("next", {}))
        say({"done": True})


asyncio.run(main())
