"""Records of processing: each table, and so each field, has one role."""

from collections import Counter

from chatinbox.privacy import data_map
from chatinbox.privacy.records import records, role_of


def test_every_table_has_exactly_one_role() -> None:
    listed = Counter(name for rows in records().values() for name, _ in rows)
    assert set(listed) == set(data_map.read()) and set(listed.values()) == {1}


def test_what_customers_write_is_processed_for_others_and_accounts_are_ours_to_answer_for() -> None:
    tables = data_map.read()
    assert role_of("tenant.message", tables["tenant.message"]) == "processor"
    assert role_of("tenant.sign_up_origin", tables["tenant.sign_up_origin"]) == "controller"
    for name, table in tables.items():
        assert (role_of(name, table) == "processor") == (table.plane == "U"), name


def test_no_column_but_the_sign_up_address_holds_a_network_address() -> None:
    words = ("ip address", "network address", "remote address")
    found = [
        f"{name}.{column}"
        for name, table in data_map.read().items()
        if table.plane != "S"
        for column, told in table.columns.items()
        if any(word in (told if isinstance(told, str) else told.holds).lower() for word in words)
        or column.split("_")[0] in ("ip", "remote")
        or column.endswith(("_ip", "_addr"))
    ]
    assert found == ["tenant.sign_up_origin.ip_sealed"]
