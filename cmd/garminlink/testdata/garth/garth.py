"""Stands in for garth where it is not installed: as strict about session strings, and no more than the example uses."""
import base64, json, types, urllib.error, urllib.request

OAUTH1 = {"oauth_token", "oauth_token_secret", "mfa_token", "mfa_expiration_timestamp", "domain"}
OAUTH2 = {"scope", "jti", "token_type", "access_token", "refresh_token", "expires_in", "expires_at",
          "refresh_token_expires_in", "refresh_token_expires_at"}


class GarthHTTPError(Exception):
    def __init__(self, status):
        super().__init__(f"HTTP {status}")
        self.error = types.SimpleNamespace(response=types.SimpleNamespace(status_code=status))


class Client:
    def loads(self, text):
        oauth1, oauth2 = json.loads(base64.b64decode(text))
        assert set(oauth1) == OAUTH1 and set(oauth2) == OAUTH2, (list(oauth1), list(oauth2))
        self.domain, self.token = oauth1["domain"], oauth2["token_type"].title() + " " + oauth2["access_token"]

    def connectapi(self, path, headers):
        request = urllib.request.Request("https://connectapi." + self.domain + path, headers=headers)
        request.add_header("Authorization", self.token)
        try:
            with urllib.request.urlopen(request) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise GarthHTTPError(error.code) from error
