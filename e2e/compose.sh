#!/usr/bin/env bash
# Builds docker-compose.yml and proves it: every service healthy, the acceptance tests, logins to both databases through Adminer, data
# kept over down and up. The project has its own name, containers and ports, so that a running stack is left alone.
#   KEEP=1 e2e/compose.sh   leaves the stack running at the end
set -Eeuo pipefail
cd "$(dirname "$0")/.."

export COMPOSE_PROJECT_NAME=tributary-test CONTAINER_PREFIX=tributary-test- COMPOSE_ENV_FILES=.env.example
export BFF_PORT=28002 TRACKING_PORT=28000 COMMISSION_PORT=28001 TRACKING_DB_PORT=25432 COMMISSION_DB_PORT=25433
export PULSAR_PORT=26650 PULSAR_ADMIN_PORT=28080 ADMINER_PORT=29001
export APP_ENV=development JWT_SECRET_KEY=only-for-tests-0123456789-abcdefghijklmnop JWT_ALGORITHM=HS256 JWT_REQUIRE_VALIDATION=true RATE_LIMIT=0 TRACKING_RATE_LIMIT=0
tracking=http://127.0.0.1:$TRACKING_PORT commission=http://127.0.0.1:$COMMISSION_PORT
standin=../shared/standin # an engine and images for machines that reach no registry

say() { printf '[%4d s] %s\n' "$SECONDS" "$*"; }
fail() { say "FAILED: $*" >&2; exit 1; }

started_engine=
work=$(mktemp -d)
finish() {
  local code=$?
  trap - EXIT
  if ((code != 0)) && docker info > /dev/null 2>&1; then
    docker compose ps -a || true
    docker compose logs --no-color --tail 25 pulsar migrate provision bff-service tracking-service commission-service || true
  fi
  if [[ -z ${KEEP:-} ]]; then
    docker compose down --volumes --timeout 30 > /dev/null 2>&1 || true
    [[ -z $started_engine ]] || "$standin/down" || true
  fi
  rm -rf "$work"
  exit "$code"
}
trap finish EXIT
trap 'exit 130' INT TERM

if ! docker info > /dev/null 2>&1; then
  if [[ ! -x $standin/up ]]; then
    echo "No container engine answers (\`docker info\`): start Docker, with Compose v2, and try again." >&2
    exit 1
  fi
  say "no container engine answers: starting the stand-in"
  started_engine=1
  "$standin/up"
fi
docker compose version > /dev/null 2>&1 || fail "Docker Compose v2 is missing: install docker-compose-plugin"

# field NAME: the first string member of that name in the JSON on stdin.
field() { grep -o "\"$1\":\"[^\"]*\"" | head -n 1 | cut -d'"' -f4; }

up() {
  docker compose up -d --wait --wait-timeout 300 > "$work/up.log" 2>&1 || { cat "$work/up.log" >&2; fail "not every service gets healthy"; }
  local sick
  sick=$(docker compose ps --format '{{.Service}} {{.Health}}' | grep -v ' healthy$' || true)
  [[ -z $sick ]] || fail "not healthy: $sick"
}

# login SERVER USER PASSWORD DATABASE TABLE: signs in through Adminer as a browser does, and wants to see the table.
login() {
  local page jar=$work/$1.cookies
  page=$(curl -fsS -L -c "$jar" -b "$jar" --data-urlencode "auth[driver]=pgsql" --data-urlencode "auth[server]=$1" --data-urlencode "auth[username]=$2" \
    --data-urlencode "auth[password]=$3" --data-urlencode "auth[db]=$4" "http://127.0.0.1:$ADMINER_PORT/") || fail "Adminer does not let $2 in to $1"
  grep -q "select=$5\"" <<< "$page" || fail "Adminer does not show the table $5 of $4 on $1 to $2"
}

# decision EVENT-ID: waits up to 2 s for the decision about an event and prints the id of its commission.
decision() {
  local answer deadline=$((SECONDS + 3))
  until answer=$(curl -fsS "$commission/api/v1/commission/decisions/$1" 2> /dev/null); do
    ((SECONDS < deadline)) || fail "no decision about event $1"
    read -r -t 0.05 < <(:) || true
  done
  field commission_id <<< "$answer"
}

# backlog: the number of accepted campaigns that wait for a service to come.
backlog() {
  curl -fsS "http://127.0.0.1:$PULSAR_ADMIN_PORT/admin/v2/persistent/public/default/bff-campaign-accept-v1/partitioned-stats" |
    grep -o '"msgBacklog":[0-9]*' | head -n 1 | cut -d: -f2
}

say "building the images"
docker compose build --quiet
docker image ls --format 'table {{.Repository}}\t{{.Size}}' 'tributary/*'
for image in bff tracking commission migrate provision; do
  [[ $(docker image inspect "tributary/$image" --format '{{.Config.User}}') == 65532:65532 ]] || fail "the image of $image does not run as nobody"
done

say "starting the stack"
docker compose down --volumes --timeout 30 > /dev/null 2>&1 || true
up
docker compose ps --format 'table {{.Service}}\t{{.Name}}\t{{.Status}}'

say "acceptance tests"
E2E_BFF_URL=http://127.0.0.1:$BFF_PORT E2E_TRACKING_URL=$tracking E2E_COMMISSION_URL=$commission \
  E2E_PULSAR_URL=pulsar://127.0.0.1:$PULSAR_PORT E2E_PULSAR_ADMIN_URL=http://127.0.0.1:$PULSAR_ADMIN_PORT \
  E2E_TRACKING_DATABASE_URL="postgres://tracking_user:tracking_password@127.0.0.1:$TRACKING_DB_PORT/trackingdb?sslmode=disable" \
  E2E_COMMISSION_DATABASE_URL="postgres://commission_user:commission_password@127.0.0.1:$COMMISSION_DB_PORT/commissiondb?sslmode=disable" \
  go test -count=1 -timeout 10m ./e2e/acceptance/

say "Adminer"
login tracking-db tracking_user tracking_password trackingdb events
login commission-db commission_user commission_password commissiondb commissions

say "down and up: the data must stay"
event=$(curl -fsS -H 'Content-Type: application/json' "$tracking/api/v1/tracking/events" \
  -d '{"user_id": "keeper", "event_type": "purchase", "metadata": {"amount": 100.0, "product_id": "prod456"}}' | field event_id)
earned=$(decision "$event")
curl -fsS -o /dev/null "$commission/api/v1/commission/summary?group_by=day&tz=Europe/Berlin" || fail "the image knows no time zones"
token=$(JWT_ISSUER= JWT_AUDIENCE= go run ./bff/cmd/generate-jwt -user keeper)
curl -fsS -o /dev/null -H "Authorization: Bearer $token" -H 'Content-Type: application/json' "http://127.0.0.1:$BFF_PORT/api/v1/campaigns/camp123/accept" \
  -d '{"accepted_terms": true}'
kept=$(backlog)
((kept > 0)) || fail "no command waits for the service to come"
docker compose down --timeout 60 > "$work/down.log" 2>&1 || { cat "$work/down.log" >&2; fail "down"; }
up
curl -fsS "$tracking/api/v1/tracking/events/$event" | grep -q '"user_id":"keeper"' || fail "the event is gone"
curl -fsS "$commission/api/v1/commission/commissions/$earned" | grep -q '"amount":"10.00"' || fail "the commission is gone"
[[ $(backlog) == "$kept" ]] || fail "published commands are gone: $kept were there, now $(backlog)"
again=$(curl -fsS -H 'Content-Type: application/json' "$tracking/api/v1/tracking/events" -d '{"user_id": "keeper", "event_type": "click"}' | field event_id)
[[ -n $(decision "$again") ]] || fail "no commission after down and up"

say "passed: every service healthy, the five requests, Adminer, data kept over down and up"
