#!/usr/bin/env python3
"""Sync all linked users once: check a session out, ask Garmin, report.

Needs GARMINLINK_URL, and GARMINLINK_TOKEN with the scopes links:read and sessions:checkout. Asks Garmin through garth or
python-garminconnect if one of them is installed, else by plain HTTP. See docs/use-it.md.
"""
import datetime, http.client, importlib.util, json, os, time, urllib.error, urllib.parse, urllib.request

FORMAT = next((name for name in ("garminconnect", "garth") if importlib.util.find_spec(name)), "bearer")
OUTCOMES = {401: "unauthorized", 429: "rate_limited"}  # a 404 or a 500 says nothing of the session: no report


def garminlink(method, path, body=None, patient=True):
    request = urllib.request.Request(os.environ["GARMINLINK_URL"].rstrip("/") + "/api/v1" + path, method=method)
    request.add_header("Authorization", "Bearer " + os.environ["GARMINLINK_TOKEN"])
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=100) as answer:  # a check-out may wait for a refresh
            return json.load(answer)
    except urllib.error.HTTPError as error:
        wait = error.headers.get("Retry-After") or ""  # of 429 and 503, which mean: later
        wait = int(wait) if wait.isdecimal() else 0  # a proxy may send a date
        if not 0 < wait <= 60 or not patient:
            raise
        time.sleep(wait)
        return garminlink(method, path, body, patient=False)


def garmin(taken, path):
    """One GET at Garmin's API with what was checked out."""
    if FORMAT == "garth":
        import garth
        client = garth.Client()  # one for each user: garth.client is everybody's
        client.loads(taken["session"])
        return client.connectapi(path, headers={})  # left out, all clients share one dict, token and all
    if FORMAT == "garminconnect":
        import garminconnect
        client = garminconnect.Garmin(is_cn=taken["domain"] == "garmin.cn")
        client.client.loads(taken["session"])
        return client.connectapi(path)
    request = urllib.request.Request("https://connectapi." + taken["domain"] + path)
    request.add_header("Authorization", "Bearer " + taken["session"])
    request.add_header("User-Agent", "GCM-Android-5.23")
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def status_of(error):
    """The HTTP status in an error of urllib's, garth's or python-garminconnect's."""
    named = {"GarminConnectAuthenticationError": 401, "GarminConnectTooManyRequestsError": 429}
    garths = getattr(getattr(error, "error", None), "response", None)
    return getattr(error, "code", None) or getattr(garths, "status_code", None) or named.get(type(error).__name__)


def sync(user):
    """Nothing of the session is kept: the next run checks out again."""
    taken = garminlink("POST", f"/links/{user}/checkout", {"format": FORMAT, "min_ttl": 900})
    seen = datetime.datetime.now(datetime.timezone.utc).isoformat()
    try:
        profile = garmin(taken, "/userprofile-service/socialProfile")  # your sync goes here
        outcome, found = "ok", profile["fullName"]
    except Exception as error:
        outcome, found = OUTCOMES.get(status_of(error)), error
    if outcome:
        garminlink("POST", f"/links/{user}/report", {"generation": taken["generation"], "outcome": outcome, "observed_at": seen})
    print(user, outcome or "failed", found)


def linked_users():
    """All of them, before the first is synced: the list is in the order of changes, and a report is one."""
    users, cursor = {}, ""
    while cursor is not None:
        page = garminlink("GET", "/links?state=active" + (cursor and "&cursor=" + urllib.parse.quote(cursor)))
        users.update((link["user"], link) for link in page["links"])
        cursor = page["next_cursor"]
    return users


for user in linked_users():
    try:
        sync(user)
    except urllib.error.HTTPError as error:
        try:
            problem = json.load(error)  # 409: only the user can mend it, and problem["user_message"] tells him how
        except ValueError:
            problem = {"code": error.code, "detail": error.reason}  # a proxy's answer
        print(user, "must act" if error.code == 409 else "not now", problem["code"], problem["detail"])
    except (OSError, ValueError, http.client.HTTPException) as error:
        print(user, "not now", error)
