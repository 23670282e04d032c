"""What Schemathesis does not check by itself: every error has a code that the document names for its status."""

import schemathesis


@schemathesis.check
def documented_code(ctx, response, case):
    if response.status_code < 400:
        return
    # Calls that the document does not describe (a method of no use, a path that is not there) are checked by their status alone.
    responses = case.operation.definition.raw.get("responses", {})
    described = responses.get(str(response.status_code))
    if described is None:
        return
    problem = response.json()
    allowed = described["x-codes"]
    assert problem["code"] in allowed, f"{problem['code']} is not among {allowed}"
    assert problem["status"] == response.status_code
    assert problem["request_id"] == response.headers["x-request-id"][0]
