"""What is handed to those who run Kept: it can be read, it fits the code, and it gives nobody more than `up` does.

Nothing here builds or starts a container: there is none on the machines these tests run on.
"""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path
from subprocess import run
from typing import Any

import psycopg
import pytest
import yaml

from infra import metrics
from infra.embedded.postgres import EmbeddedPostgres
from infra.settings import ENVIRONMENT
from tests.infra.helm import render
from tests.services import Database

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "infra" / "deploy"
CHART = DEPLOY / "helm" / "kept"
NOT_DEPLOYED = {"STRIPE_API_BASE", "KEPT_MAILBOX_URL", "KEPT_PRIVATE_SERVICES"}
"""Settings for the demo and for tests: with real services they stay unset."""
PROCESSES = {"web", "relay", "worker", "schedule"}
IN_WORKERS_ONLY = {"kept_jobs"}
"""Counted in processes that serve no /metrics."""


@pytest.fixture(scope="module")
def manifests() -> list[dict[str, Any]]:
    return render(CHART)


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text())


def of_kind(manifests: list[dict[str, Any]], kind: str) -> dict[str, dict[str, Any]]:
    """The specs of one kind by the process they are about."""
    return {
        one["metadata"]["name"].removeprefix("kept-"): one["spec"] for one in manifests if one["kind"] == kind
    }


def containers(manifests: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    specs = of_kind(manifests, "Deployment") | of_kind(manifests, "Job")
    return {name: spec["template"]["spec"]["containers"][0] for name, spec in specs.items()}


def names_of(container: dict[str, Any]) -> set[str]:
    return {variable["name"] for variable in container["env"]}


# ---- the chart


def test_the_chart_renders_what_a_cluster_needs(manifests: list[dict[str, Any]]) -> None:
    assert of_kind(manifests, "Deployment").keys() == PROCESSES
    assert of_kind(manifests, "Job").keys() == {"migrate"}
    assert of_kind(manifests, "HorizontalPodAutoscaler").keys() == {"web", "worker"}
    assert of_kind(manifests, "PodDisruptionBudget").keys() == {"web", "worker"}
    assert of_kind(manifests, "Ingress") == {}
    for name, spec in of_kind(manifests, "Deployment").items():
        assert spec["selector"]["matchLabels"].items() <= spec["template"]["metadata"]["labels"].items()
        assert ("replicas" in spec) == (name in ("relay", "schedule")), "an autoscaler sets the others"
        assert spec["template"]["spec"]["securityContext"]["runAsNonRoot"] is True


def test_the_ingress_and_fixed_sizes_are_choices() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    fixed = {name: values[name] | {"autoscaling": {"enabled": False}} for name in ("web", "worker")}
    made = render(
        CHART,
        ingress=values["ingress"] | {"enabled": True, "annotations": {"a": "b"}},
        nodeSelector={"disk": "ssd"},
        tolerations=[{"operator": "Exists"}],
        **fixed,
    )
    assert of_kind(made, "Ingress")["web"]["rules"][0]["host"] == values["ingress"]["host"]
    assert of_kind(made, "HorizontalPodAutoscaler") == {}
    web = of_kind(made, "Deployment")["web"]
    assert web["replicas"] == values["web"]["replicas"]
    assert web["template"]["spec"]["nodeSelector"] == {"disk": "ssd"}


def test_every_container_is_bounded_and_can_change_nothing(manifests: list[dict[str, Any]]) -> None:
    for name, container in containers(manifests).items():
        secured = container["securityContext"]
        assert (secured["readOnlyRootFilesystem"], secured["allowPrivilegeEscalation"]) == (True, False), name
        assert secured["capabilities"] == {"drop": ["ALL"]}
        assert "memory" in container["resources"]["limits"]
        assert "cpu" in container["resources"]["requests"]


def test_the_web_is_probed_where_it_answers(manifests: list[dict[str, Any]], app: Any) -> None:
    web = containers(manifests)["web"]
    paths = {web[probe]["httpGet"]["path"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert paths == {"/healthz", "/readyz"}
    assert web["livenessProbe"]["httpGet"]["path"] == "/healthz", (
        "a database that is down heals by no restart"
    )
    served = {rule.rule for rule in app.url_map.iter_rules()}
    assert paths | {"/metrics"} <= served
    port = web["ports"][0]
    service = of_kind(manifests, "Service")["web"]["ports"][0]
    assert (service["targetPort"], port["containerPort"]) == (port["name"], 8000)
    assert str(port["containerPort"]) in web["command"]


def test_every_value_of_the_chart_is_used() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    text = "\n".join(file.read_text() for file in (CHART / "templates").iterdir())
    for path in _leaves(values):
        parts = path.split(".")
        prefixes = [".".join(parts[:depth]) for depth in range(1, len(parts) + 1)]
        assert any(re.search(rf"\.Values\.{re.escape(one)}\b(?!\.)", text) for one in prefixes), path


def _leaves(values: dict[str, Any], above: str = "") -> Iterator[str]:
    for name, value in values.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, f"{above}{name}.")
        else:
            yield above + name


# ---- settings


def test_chart_and_compose_set_exactly_the_settings_there_are(
    manifests: list[dict[str, Any]], compose: dict[str, Any]
) -> None:
    known = set(ENVIRONMENT.values())
    config = next(one for one in manifests if one["kind"] == "ConfigMap")["data"]
    in_chart = set(config).union(*(names_of(container) for container in containers(manifests).values()))
    assert in_chart == known - NOT_DEPLOYED
    ours = [compose["services"][name]["environment"] for name in (*PROCESSES, "migrate")]
    assert set().union(*ours) == known - NOT_DEPLOYED


def test_each_process_holds_only_the_keys_it_needs(
    manifests: list[dict[str, Any]], compose: dict[str, Any]
) -> None:
    given = {name: names_of(container) for name, container in containers(manifests).items()}
    by_compose = {name: set(compose["services"][name]["environment"]) for name in (*PROCESSES, "migrate")}
    for found in (given, by_compose):
        assert {name for name, names in found.items() if "DATABASE_OWNER_URL" in names} == {"migrate"}
        assert {name for name, names in found.items() if "DATABASE_OPERATOR_URL" in names} == {"web"}
        assert found["migrate"] == {"DATABASE_OWNER_URL"}


def test_secrets_come_by_reference(manifests: list[dict[str, Any]]) -> None:
    config = next(one for one in manifests if one["kind"] == "ConfigMap")["data"]
    assert not [name for name in config if re.search("SECRET|_KEY$|DATABASE|REDIS|SMTP", name)]
    for container in containers(manifests).values():
        for variable in container["env"]:
            assert variable["valueFrom"]["secretKeyRef"]["key"] == variable["name"]
    described = (CHART / "values.yaml").read_text().split("existingSecret")[0]
    needed = set().union(*(names_of(container) for container in containers(manifests).values()))
    assert needed <= set(re.findall(r"[A-Z][A-Z_]+", described))


def test_the_example_environment_names_what_compose_asks_for(compose: dict[str, Any]) -> None:
    asked = set(re.findall(r"(?<!\$)\$\{([A-Z_]+)", (DEPLOY / "compose.yaml").read_text()))
    lines = (DEPLOY / "env.example").read_text().splitlines()
    written = {line.split("=")[0] for line in lines if line and not line.startswith("#")}
    with_default = {"KEPT_POOL_SIZE", "LOG_LEVEL"}
    assert written == asked - with_default


# ---- commands, ports, files


def test_the_commands_exist(manifests: list[dict[str, Any]], compose: dict[str, Any]) -> None:
    argvs = [container["command"] for container in containers(manifests).values()]
    argvs += [compose["services"][name]["command"] for name in ("relay", "worker", "schedule", "migrate")]
    argvs.append(_docker_command())
    for argv in argvs:
        if argv[0] == "python":
            assert importlib.util.find_spec(argv[2]) is not None, argv
        else:
            assert argv[0] in ("granian", "alembic")
            assert importlib.util.find_spec(argv[0]) is not None
    assert {argv[2] for argv in argvs if argv[0] == "python"} == {
        "workers.relay",
        "workers.jobs",
        "workers.schedule",
    }


def _docker_command() -> list[str]:
    text = (DEPLOY / "Dockerfile").read_text()
    return json.loads(re.findall(r"^CMD (\[.*\])$", text, re.MULTILINE)[-1])


def test_the_chart_starts_the_web_as_the_image_does(manifests: list[dict[str, Any]]) -> None:
    assert [str(word) for word in containers(manifests)["web"]["command"]] == _docker_command()


def test_the_image_is_pinned_copied_and_not_root() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    last = text.split("FROM ")[-1]
    assert "--require-hashes" in text
    assert re.search(r"^USER 10001:10001$", last, re.MULTILINE)
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE)
    for name in " ".join(copied).split():
        assert (ROOT / name).exists(), name
    kept = {
        line[1:] for line in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines() if line[:1] == "!"
    }
    assert {name.split("/")[0] for name in " ".join(copied).split()} <= kept
    for image in re.findall(r"^FROM (\S+)", text, re.MULTILINE):
        assert re.fullmatch(r"[a-z]+:[a-z0-9.-]+", image), f"{image} names a host or no version"


def test_compose_runs_the_parts_it_names(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert services.keys() == PROCESSES | {"migrate", "postgres", "pgbouncer", "valkey"}
    for name, service in services.items():
        for other in service.get("depends_on", {}):
            assert other in services, name
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert source in compose["volumes"] or source.startswith("./"), volume
    assert services["postgres"]["image"] == "postgres:18"
    bouncer = ConfigParser(strict=True, comment_prefixes=(";",), inline_comment_prefixes=None)
    bouncer.read(DEPLOY / "pgbouncer" / "pgbouncer.ini")
    port = bouncer["pgbouncer"]["listen_port"]
    for name in PROCESSES:
        assert f"@pgbouncer:{port}/kept" in services[name]["environment"]["DATABASE_URL"]
    assert "@postgres:5432/" in services["migrate"]["environment"]["DATABASE_OWNER_URL"]


def test_the_pooler_is_in_transaction_mode_and_keeps_prepared_statements() -> None:
    bouncer = ConfigParser(comment_prefixes=(";",))
    bouncer.read(DEPLOY / "pgbouncer" / "pgbouncer.ini")
    given = bouncer["pgbouncer"]
    assert given["pool_mode"] == "transaction"
    assert int(given["max_prepared_statements"]) > 0
    assert given["auth_type"] == "scram-sha-256"
    assert bouncer.sections() == ["databases", "pgbouncer"]


def test_no_file_names_a_registry_or_a_secret() -> None:
    for file in DEPLOY.rglob("*"):
        if file.is_file():
            text = file.read_text()
            assert not re.search(r"\b(docker|ghcr|quay|gcr)\.(io|com)\b", text), file
            assert not re.search(r"sk_(live|test)_\w+|whsec_\w+", text), file


# ---- roles


def test_the_roles_are_those_of_the_embedded_server(database: Database, test_services: Any) -> None:
    """roles.sql is run for real, under other names beside the embedded ones, and both are compared."""
    text = (DEPLOY / "postgres" / "roles.sql").read_text()
    text = re.sub(r"\bkept(_(?:owner|app|operator))\b", r"deployed\1", text)
    text = re.sub(
        r"(DATABASE|connect|datname =) '?kept\b", lambda found: found[0].replace("kept", "deployed"), text
    )
    server: EmbeddedPostgres = test_services._postgres
    passwords = {f"KEPT_{name}_PASSWORD": f"of {name}" for name in ("OWNER", "APP", "OPERATOR")}
    for _ in range(2):  # again changes nothing
        done = run(
            [str(server.program("psql")), "-X", "-q", "-d", database.superuser_url, "-f", "-"],
            input=text,
            env=server.environment() | passwords,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
    try:
        with psycopg.connect(database.superuser_url, autocommit=True) as connection:
            made, embedded = _rights(connection, "deployed"), _rights(connection, "kept")
            assert made == embedded
            assert (len(made["roles"]), len(made["members"])) == (3, 1)
        with psycopg.connect(re.sub(r"/[^/]+$", "/deployed", database.superuser_url)) as connection:
            extensions = _extensions(connection)
        with psycopg.connect(database.superuser_url) as connection:
            assert extensions == _extensions(connection)
    finally:
        with psycopg.connect(database.superuser_url, autocommit=True) as connection:
            connection.execute("DROP DATABASE IF EXISTS deployed WITH (FORCE)")
            for role in ("deployed_app", "deployed_operator", "deployed_owner"):
                connection.execute(f"DROP ROLE IF EXISTS {role}")


def _rights(connection: psycopg.Connection, prefix: str) -> dict[str, Any]:
    roles = connection.execute(
        "SELECT replace(rolname, %(p)s, ''), rolcanlogin, rolsuper, rolbypassrls, rolcreatedb, rolcreaterole,"
        " rolinherit, rolreplication, rolconfig FROM pg_roles WHERE rolname LIKE %(p)s || '\\_%%' ORDER BY 1",
        {"p": prefix},
    ).fetchall()
    members = connection.execute(
        "SELECT replace(m.roleid::regrole::text, %(p)s, ''), replace(m.member::regrole::text, %(p)s, ''),"
        " inherit_option, set_option, admin_option FROM pg_auth_members m"
        " WHERE m.roleid::regrole::text LIKE %(p)s || '\\_%%'",
        {"p": prefix},
    ).fetchall()
    database = connection.execute(
        "SELECT replace(datdba::regrole::text, %(p)s, ''), (SELECT array_agg(replace(a::text, %(p)s, '') ORDER BY"
        " replace(a::text, %(p)s, '')) FROM unnest(datacl) a) FROM pg_database WHERE datname = %(p)s",
        {"p": prefix},
    ).fetchone()
    return {"roles": roles, "members": members, "database": database}


def _extensions(connection: psycopg.Connection) -> set[str]:
    return {row[0] for row in connection.execute("SELECT extname FROM pg_extension")}


# ---- what is watched


def exported() -> set[str]:
    """Every name that /metrics of the web can show."""
    found = set()
    for metric in vars(metrics).values():
        for family in metric.collect() if hasattr(metric, "collect") and hasattr(metric, "_name") else []:
            if family.name not in IN_WORKERS_ONLY:
                suffixes = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"]}.get(
                    family.type, [""]
                )
                found |= {family.name + suffix for suffix in suffixes}
    return found


def expressions() -> list[str]:
    rules = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yaml").read_text())
    board = json.loads((DEPLOY / "grafana" / "kept.json").read_text())
    alerts = [rule["expr"] for group in rules["groups"] for rule in group["rules"]]
    return alerts + [target["expr"] for panel in board["panels"] for target in panel["targets"]]


def test_alerts_and_dashboard_ask_for_metrics_that_exist(app: Any) -> None:
    known = exported()
    assert {"kept_requests_total", "kept_request_seconds_bucket", "kept_outbox_dead"} <= known
    for expression in expressions():
        assert set(re.findall(r"\bkept_\w+", expression)) <= known, expression
    served = {rule.rule for rule in app.url_map.iter_rules()}
    for expression in expressions():
        for route in re.findall(r'route!?="([^"]+)"', expression):
            assert route in served, route


def test_every_alert_says_how_urgent_it_is_and_what_to_do() -> None:
    rules = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yaml").read_text())
    for group in rules["groups"]:
        for rule in group["rules"]:
            assert rule["labels"]["severity"] in ("page", "ticket")
            assert rule["annotations"].keys() == {"summary", "description"}
            assert re.fullmatch(r"\d+[sm]", rule["for"])


def test_the_dashboards_panels_do_not_overlap() -> None:
    board = json.loads((DEPLOY / "grafana" / "kept.json").read_text())
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
