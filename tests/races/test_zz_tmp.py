import pytest, psycopg, time, threading
from tests.races import test_stock as t
from app.intake import service
from app.allocation import adjustments
from infra import settings
orig = service._write
LOG=[]
def noisy(scope, composer):
    want=[(r["position_id"][-4:], r["quantity"]) for r in composer.rows["reservations"] if r["position_id"]]
    LOG.append((time.monotonic(), threading.get_ident()%1000, "write", want))
    try:
        orig(scope, composer)
        LOG.append((time.monotonic(), threading.get_ident()%1000, "wrote"))
    except Exception as e:
        LOG.append((time.monotonic(), threading.get_ident()%1000, "failed", type(e).__name__))
        if isinstance(e, psycopg.errors.CheckViolation):
            print("PLAN?", e.diag.constraint_name, e.diag.context)
            for l in LOG[-30:]: print("LOG", l, flush=True)
        raise
service._write = noisy
from app.inventory import ledger
ow = ledger.Ledger.write
def lw(self):
    LOG.append((time.monotonic(), threading.get_ident()%1000, "ledger", [(str(p.id)[-4:], p.on_hand, p.reserved, p.moved, p.released) for p in self.by_id.values()]))
    ow(self)
ledger.Ledger.write = lw

service.WRITE = service.WRITE.replace("SELECT coalesce(array_agg(id::text), '{}') FROM placed", "SELECT coalesce(array_agg(id::text), '{}'), (select json_agg(row(right(locked.id::text,4), locked.free)) from locked), (select json_agg(row(right(t.id::text,4), t.on_hand, t.reserved)) from taken t), (select json_agg(row(right(position_id::text,4), quantity)) from wanted) FROM placed")
service.WRITE = service.WRITE.replace("AND p.id = w.position_id", "AND p.id = w.position_id RETURNING p.id, p.on_hand, p.reserved")
def noisy2(scope, composer):
    from infra.ids import new_id
    import orjson
    if not composer.drafts: return
    composer.number(service._numbers(scope.tenant_id, len(composer.drafts)))
    document = orjson.dumps(composer.rows).decode()
    LOG.append((time.monotonic(), threading.get_ident()%1000, "write"))
    row = scope.raw().execute(service.WRITE, {"tenant": scope.tenant_id, "doc": document}, prepare=True).fetchone()
    LOG.append((time.monotonic(), threading.get_ident()%1000, "wrote", row))
    if row is None or len(row[0]) != len(composer.drafts):
        raise service.Contended
service._write = noisy2
@pytest.mark.parametrize("n", range(60))
def test_it(app, database, merchant, n):
    with psycopg.connect(database.owner_url, autocommit=True) as c:
        c.execute("ALTER TABLE stock_positions DROP CONSTRAINT IF EXISTS ck_stock_positions_reserved_within_on_hand")
    LOG.clear()
    try:
      t.test_the_last_units_wanted_while_stock_comes_and_goes(app, merchant)

    except AssertionError:
        for l in LOG: print("LOG", l, flush=True)
        raise
