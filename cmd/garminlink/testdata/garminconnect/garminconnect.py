"""Stands in for python-garminconnect where it is not installed: no more of it than the example uses."""
import json, urllib.error, urllib.request


class GarminConnectAuthenticationError(Exception):
    pass


class GarminConnectTooManyRequestsError(Exception):
    pass


class Tokens:
    def loads(self, text):
        tokens = json.loads(text)
        assert set(tokens) == {"di_token", "di_refresh_token", "di_client_id"}, list(tokens)
        self.di_token = tokens["di_token"]


class Garmin:
    def __init__(self, is_cn=False):
        self.client, self.domain = Tokens(), "garmin.cn" if is_cn else "garmin.com"

    def connectapi(self, path):
        request = urllib.request.Request("https://connectapi." + self.domain + path)
        request.add_header("Authorization", "Bearer " + self.client.di_token)
        try:
            with urllib.request.urlopen(request) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            kinds = {401: GarminConnectAuthenticationError, 429: GarminConnectTooManyRequestsError}
            raise kinds.get(error.code, Exception)(f"HTTP {error.code}") from error
