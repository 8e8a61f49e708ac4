# Tributary. `make` alone lists the targets.
#
# STACK=native (the default) runs PostgreSQL, Pulsar and the services as plain processes;
# STACK=docker runs docker-compose.yml.
# Ports and folders are moved by the environment or .env: .env.example lists the names.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

STACK ?= native
USER_ID ?= user123
ROLES ?= partner
NAME ?=

# Every module of go.work, and the packages of all. The modules of APART are outside go.work, so that
# what they depend on never decides what the services depend on.
MODULES := $(shell sed -n 's|^\t\./||p' go.work)
PACKAGES := $(MODULES:%=./%/...)
EXAMPLES := $(patsubst %/go.mod,%,$(wildcard examples/*/go.mod))
APART := e2e/peers $(EXAMPLES)
SERVICES := $(patsubst contracts/openapi/%.json,%,$(wildcard contracts/openapi/*.json))
# What `make unit` tests. The system tests start stacks of their own and have targets of their own.
TEST ?= $(filter-out ./e2e/...,$(PACKAGES)) ./e2e/internal/...
# The system tests; each package brings up a stack of its own.
ACCEPTANCE := ./e2e/acceptance/ ./e2e/pages/ ./e2e/finance/ ./e2e/faults/
# package:target of every fuzz test, and how long each runs.
FUZZ := platform/strictjson:FuzzCheck $(addprefix tracking/internal/api/rest:,FuzzEvent FuzzBatch FuzzCloudEvent FuzzCloudEvents FuzzCursor)
FUZZTIME ?= 60s
# The race detector needs a C compiler. RACE= leaves it out.
RACE ?= $(if $(filter 1,$(shell go env CGO_ENABLED)),-race)

BIN := $(CURDIR)/.bin
LINT_VERSION := v2.15.0
LINT := $(BIN)/golangci-lint-$(LINT_VERSION)
VULN_VERSION := v1.9.0
VULN := $(BIN)/govulncheck-$(VULN_VERSION)
STACK_TOOL := $(BIN)/stack
COMPOSE := docker compose

ifeq ($(filter native docker,$(STACK)),)
$(error STACK must be native or docker, not $(STACK))
endif

## The stack

.PHONY: demo
demo: $(STACK) ## set everything up, start it, send the five requests, show the commission
	@$(if $(filter docker,$(STACK)),$(COMPOSE) up -d --build --wait && $(STACK_TOOL) requests,$(STACK_TOOL) demo)

.PHONY: up
up: $(STACK) ## start the stack; may be run again
	@$(if $(filter docker,$(STACK)),$(COMPOSE) up -d --build --wait,$(STACK_TOOL) up)

.PHONY: down
down: $(STACK) ## stop the stack; the data stays
	@$(if $(filter docker,$(STACK)),$(COMPOSE) down,$(STACK_TOOL) down)

.PHONY: status
status: $(STACK) ## show what runs and whether it is ready
	@$(if $(filter docker,$(STACK)),$(COMPOSE) ps,$(STACK_TOOL) status)

.PHONY: logs
logs: $(STACK) ## show the ends of the logs (NAME=tracking for one); Ctrl-C ends it
	@$(if $(filter docker,$(STACK)),$(COMPOSE) logs -f --tail 20 $(NAME),$(STACK_TOOL) logs -f $(NAME))

.PHONY: token
token: .env ## print a bearer token, nothing else (USER_ID=… ROLES=partner,operator)
	@go run ./bff/cmd/generate-jwt -user '$(USER_ID)' -roles '$(ROLES)'

.PHONY: migrate
migrate: $(STACK) ## bring the schemas of the running databases to the newest version
	@$(if $(filter docker,$(STACK)),$(COMPOSE) run --rm --build migrate,$(STACK_TOOL) migrate)

.PHONY: reset-broker
reset-broker: native ## replace a local broker that does not start; the databases stay, all events are published again
	@$(STACK_TOOL) reset-broker

.PHONY: clean
clean: $(STACK) ## stop the stack; remove its data, logs and programs
	@$(if $(filter docker,$(STACK)),$(COMPOSE) down --volumes,$(STACK_TOOL) clean)

## Tests

.PHONY: test
test: unit acceptance ## every test, against real PostgreSQL and Pulsar

.PHONY: unit
unit: $(STACK_TOOL) ## tests of all modules, with a throw-away PostgreSQL and Pulsar (TEST=./tracking/... for some)
	$(STACK_TOOL) exec -- go test $(RACE) -timeout 20m $(TEST)
	$(if $(filter file,$(origin TEST)),for m in $(EXAMPLES); do GOWORK=off go -C $$m test $(RACE) ./...; done)

.PHONY: acceptance
acceptance: ## the requests of the contract, bad ones, the pages, and faults under load, each against a stack of its own
	go test -count=1 -p 1 -timeout 20m $(ACCEPTANCE)

.PHONY: test-compose
test-compose: ## build and start docker-compose.yml, test it, remove it
	./e2e/compose.sh

.PHONY: test-python
test-python: $(STACK_TOOL) $(BIN)/python ## run the examples, read events and payment files, and close a year of months, with Python programs
	for e in examples/*-python; do $(BIN)/python/bin/python -m unittest discover --start-directory $$e; done
	TEST_PYTHON=$(BIN)/python/bin/python go test -count=1 -timeout 20m -tags python ./e2e/independent/
	TEST_PYTHON=$(BIN)/python/bin/python go test -count=1 -timeout 5m -tags python -run Schema ./commission/internal/infrastructure/payfile/
	TEST_PYTHON=$(BIN)/python/bin/python $(STACK_TOOL) exec -- go test -count=1 -timeout 20m -tags python ./commission/internal/simulated/

.PHONY: test-openapi
test-openapi: $(BIN)/schemathesis $(BIN)/clientts ## hold the OpenAPI documents against the services, open and closed, and against generators
	go test -count=1 -timeout 20m -tags openapi ./e2e/openapi/clients/
	TEST_SCHEMATHESIS=$(BIN)/schemathesis/bin/st TEST_AUTH_REQUIRED=true go test -count=1 -timeout 20m -tags openapi ./e2e/openapi/
	TEST_SCHEMATHESIS=$(BIN)/schemathesis/bin/st TEST_AUTH_REQUIRED=false go test -count=1 -timeout 20m -tags openapi ./e2e/openapi/

.PHONY: fuzz
fuzz: ## feed generated input to every decoder (FUZZTIME=60s each)
	for f in $(FUZZ); do go test -run '^$$' -fuzz "^$${f#*:}\$$" -fuzztime $(FUZZTIME) ./$${f%:*}/; done

.PHONY: chaos
chaos: ## stop and kill every process under load; count what is lost or doubled
	go test -count=1 -timeout 20m -v ./e2e/faults/

.PHONY: bench
bench: ## measure the stack on this machine
	go run ./e2e/cmd/bench

## The code

.PHONY: build
build: ## compile everything; the programs go to .bin
	@mkdir -p $(BIN)
	go build -o $(BIN)/ $(MODULES:%=./%/...)

.PHONY: lint
lint: $(LINT) $(VULN) ## linters, layers, error codes, the page, vet, each module alone, licences, known vulnerabilities
	$(LINT) run --allow-serial-runners $(PACKAGES)
	go vet -tags python,openapi $(PACKAGES)
	go run ./e2e/cmd/codelint $$(git ls-files --cached --others --exclude-standard '*.go')
	go run ./e2e/cmd/pagelint $$(git ls-files --cached --others --exclude-standard '*.go' '*.md')
	for m in $(MODULES); do echo "$$m alone"; GOWORK=off go -C $$m build -o /dev/null ./...; done
	for m in $(APART); do echo "$$m"; (cd $$m && GOWORK=off $(LINT) run --allow-serial-runners ./...); done
	e2e/lint_proof.sh $(LINT)
	go run ./e2e/cmd/notices -check THIRD-PARTY-NOTICES.txt
	e2e/vulncheck.sh $(VULN) $(MODULES) $(APART)

.PHONY: fmt
fmt: $(LINT) ## format the code
	$(LINT) fmt $(MODULES)

.PHONY: generate
generate: ## write the OpenAPI documents, docs/errors.md, docs/settings.md and the notices
	@mkdir -p $(BIN)
	for s in $(SERVICES); do go run ./$$s/cmd/$$s openapi > $(BIN)/new && mv $(BIN)/new contracts/openapi/$$s.json; done
	go run ./contracts/cmd/errordocs > $(BIN)/new && mv $(BIN)/new docs/errors.md
	go run ./e2e/cmd/settings > $(BIN)/new && mv $(BIN)/new docs/settings.md
	go run ./e2e/cmd/notices THIRD-PARTY-NOTICES.txt

.PHONY: help
help: ## list the targets
	@awk '/^## / { printf "\n%s\n", substr($$0, 4) } \
	  match($$0, /^[a-z-]+:.*## /) { name = $$1; sub(":.*", "", name); printf "  make %-13s %s\n", name, substr($$0, RSTART + RLENGTH) }' $(MAKEFILE_LIST)

# Prerequisites of the targets.

.PHONY: native docker
native: $(STACK_TOOL)

docker: $(STACK_TOOL) .env
	@docker info > /dev/null 2>&1 || { echo "no container engine answers: start it, or use STACK=native" >&2; exit 1; }

.PHONY: $(STACK_TOOL)
$(STACK_TOOL):
	@test -x $@ || echo "building the stack runner (the first time takes a minute) …" >&2
	@go build -buildvcs=false -o $@ ./devstack/cmd/stack

.env:
	@cp .env.example .env

$(BIN)/python: e2e/independent/requirements.txt
	python3 -m venv $@
	$@/bin/pip install --quiet --requirement $<
	@touch $@

$(BIN)/schemathesis: e2e/openapi/requirements.txt
	python3 -m venv $@
	$@/bin/pip install --quiet --requirement $<
	@touch $@

$(BIN)/clientts: e2e/openapi/clients/clientts/package-lock.json
	@mkdir -p $@
	cp e2e/openapi/clients/clientts/package.json $< $@/
	npm ci --silent --prefix $@
	@touch $@

$(LINT):
	@echo "building golangci-lint $(LINT_VERSION), once; it takes some minutes …" >&2
	GOBIN=$(BIN) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VERSION)
	@mv $(BIN)/golangci-lint $@

# A machine that cannot fetch it continues without: e2e/vulncheck.sh reports that nothing was
# checked.
$(VULN):
	-GOBIN=$(BIN) GOWORK=off timeout 300 go install golang.org/x/vuln/cmd/govulncheck@$(VULN_VERSION) && mv $(BIN)/govulncheck $@
