"""A story told by the generated Python client: from an empty server to records and back."""

import os
import sys

from inlet_client import AuthenticatedClient
from inlet_client.api.collections import create_collection, get_collection
from inlet_client.api.connectors import create_connector, delete_connector, list_connectors, update_connector
from inlet_client.api.records import get_record, list_changes, list_records, push_records
from inlet_client.api.spaces import create_space, delete_space, get_space
from inlet_client.api.syncs import get_sync, list_syncs, trigger_sync
from inlet_client.models import (
    ConnectorPatch,
    NewCollection,
    NewConnector,
    NewSpace,
    NewSync,
    Problem,
    PushRecordsBodyItem,
    SyncStatus,
)

SPACE, COLLECTION = "python", "people"


def main(url: str) -> None:
    key = os.environ["INLET_API_KEY"]
    with AuthenticatedClient(
        base_url=url, token=key, prefix="", auth_header_name="X-API-Key", raise_on_unexpected_status=True
    ) as client:
        tell(client)
    print("python: the story holds")


def tell(client: AuthenticatedClient) -> None:
    space = create_space.sync(client=client, body=NewSpace(name="Python", id=SPACE))
    assert space.id == SPACE, space
    again = create_space.sync(client=client, body=NewSpace(name="Python", id=SPACE))
    assert isinstance(again, Problem) and again.code == "space.already_exists", again
    collection = create_collection.sync(SPACE, client=client, body=NewCollection(name="People", id=COLLECTION))
    assert (collection.id, collection.records) == (COLLECTION, 0), collection

    wanted = NewConnector(name="Pushed", type_="external_source")
    connector = create_connector.sync(SPACE, COLLECTION, client=client, body=wanted, idempotency_key="once")
    twice = create_connector.sync(SPACE, COLLECTION, client=client, body=wanted, idempotency_key="once")
    assert connector.id == twice.id, "one key makes one connector"
    place = (SPACE, COLLECTION, connector.id)
    patched = update_connector.sync(*place, client=client, body=ConnectorPatch(name="Pushed by Python"))
    assert patched.name == "Pushed by Python", patched
    assert [each.id for each in list_connectors.sync(SPACE, COLLECTION, client=client).data] == [connector.id]

    people = [{"id": 1, "name": "Ada"}, {"id": 2, "name": "Grace"}]
    pushed = push_records.sync(
        *place, client=client, body=[PushRecordsBodyItem.from_dict(each) for each in people], key_field="id"
    )
    assert pushed.accepted == 2, pushed
    sync = trigger_sync.sync(*place, client=client, body=NewSync())
    ended = get_sync.sync(*place, sync.id, client=client, wait="30s")
    assert ended.status == SyncStatus.SUCCEEDED, ended
    assert (ended.counts.read, ended.counts.created) == (2, 2), ended.counts
    assert [each.id for each in list_syncs.sync(*place, client=client).data] == [sync.id]

    records = list_records.sync(SPACE, COLLECTION, client=client)
    assert [each.data.to_dict() for each in records.data] == people, records
    one = get_record.sync(SPACE, COLLECTION, "records", "2", client=client)
    assert one.data["name"] == "Grace", one
    changes = list_changes.sync(SPACE, COLLECTION, client=client)
    assert [each.op for each in changes.data] == ["created", "created"], changes
    assert get_collection.sync(SPACE, COLLECTION, client=client).records == 2

    gone = delete_connector.sync_detailed(*place, client=client)
    assert gone.status_code == 204, gone
    assert delete_space.sync_detailed(SPACE, client=client, cascade=True).status_code == 204
    absent = get_space.sync(SPACE, client=client)
    assert isinstance(absent, Problem) and absent.code == "space.not_found", absent


if __name__ == "__main__":
    main(sys.argv[1])
