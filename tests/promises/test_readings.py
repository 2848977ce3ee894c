"""The settings of the rule as a document: what may be chosen, and what cannot be written down."""

import pytest

from app.promises.readings import DEFAULT, FIXED, Settings, SettingsFault, from_settings, to_document


def test_an_empty_document_is_the_default_and_everything_comes_back():
    assert from_settings(None) == from_settings({}) == DEFAULT
    chosen = from_settings({"zone": "seller", "decide_days": 9, "version": "2"})
    assert (chosen.zone, chosen.decide_days, chosen.version) == ("seller", 9, "2")
    assert from_settings(to_document(chosen)) == Settings(version="2", zone="seller", decide_days=9)
    assert to_document(DEFAULT).items() >= FIXED.items()


def test_equal_documents_have_equal_versions_and_others_others():
    one, same = from_settings({"zone": "buyer"}), from_settings({"zone": "buyer"})
    other = from_settings({"zone": "seller"})
    assert one.version == same.version != other.version
    assert DEFAULT.version not in (one.version, other.version)


WRONG = {
    "a grace buffer": ({"grace_hours": 4}, "promises.grace_hours", "435.2(c)(5)"),
    "a grace buffer of none": ({"ship_grace": 0}, "promises.ship_grace", "buffer"),
    "silence as consent": ({"silence_is_consent": True}, "promises.silence_is_consent", "435.2(b)"),
    "store credit": ({"store_credit_refunds": True}, "promises.store_credit_refunds", "435.1(d)"),
    "rolling over a weekend": ({"roll_forward": "monday"}, "promises.roll_forward", '"none"'),
    "another zone": ({"zone": "mars"}, "promises.zone", '"strict"'),
    "a number for a flag": ({"observed_fridays": 1}, "promises.observed_fridays", "true"),
    "too many days": ({"decide_days": 26}, "promises.decide_days", "0 to 25"),
    "a fraction": ({"refund_target_days": 1.5}, "promises.refund_target_days", "0 to 7"),
    "businesses without counsel": ({"business_buyers": "exempt"}, "promises.counsel", "counsel"),
    "no object": ([], "promises", "object"),
    "a name that means nothing": ({"zones": "strict"}, "promises.zones", "range_end"),
    "an empty version": ({"version": ""}, "promises.version", "text"),
}


@pytest.mark.parametrize("row", WRONG)
def test_what_may_not_be_is_refused_with_path_and_remedy(row):
    document, path, remedy = WRONG[row]
    with pytest.raises(SettingsFault) as refused:
        from_settings(document)
    assert refused.value.path == path
    assert remedy in refused.value.detail
