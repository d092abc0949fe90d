# What a newcomer needs: `make run` to see it work, `make test` to trust it.

GO   ?= go
TOOL := $(GO) tool -modfile=.ci/tools.mod

# Built and not `go run`: signals and kills must reach the program itself.
PROGRAM := .dev/garminlink
WITH_DATABASE = $(PROGRAM) dev postgres --

.DEFAULT_GOAL := help

.PHONY: help
help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: program ## run everything on this machine, with a simulated Garmin
	exec $(PROGRAM) dev

# More packages at a time than there are cores, as the tests wait a lot. .ci/lint vets them.
.PHONY: test
test: program chromium axe redis python ## run all tests, with the race detector and real servers
	$(WITH_DATABASE) $(GO) test -race -vet=off -timeout 20m -p 4 ./...
	$(WITH_DATABASE) $(GO) test -short -tags chaos -run '^TestChaos' ./cmd/garminlink
	.ci/fuzz 1000x

.PHONY: browser
browser: program chromium axe ## see every page and walk every journey in a browser, in all looks
	$(WITH_DATABASE) $(GO) test -v -timeout 60m -run 'InABrowser$$' ./cmd/garminlink -browser.all $(if $(SHOTS),-browser.shots $(abspath $(SHOTS)))

.PHONY: chaos
chaos: program ## kill replicas at work, cut the database off, take Garmin down: about 8 minutes
	$(WITH_DATABASE) $(GO) test -v -timeout 30m -tags chaos -run '^TestChaos' ./cmd/garminlink
	$(WITH_DATABASE) $(GO) test -v -timeout 30m -run '^(TestSessionIsSavedWhenTheDatabaseIsBack|TestGarminDownForAnHour)$$' \
		./internal/link -link.cut 30s -link.outage 10000

.PHONY: fuzz
fuzz: ## run every fuzz target for a minute
	.ci/fuzz 60s

.PHONY: bench
bench: program redis ## run the benchmarks, with allocations
	$(PROGRAM) dev postgres --durable -- $(GO) test -run '^$$' -bench . -benchmem ./...

.PHONY: lint
lint: ## check format, vet, staticcheck, known vulnerabilities, generated files
	.ci/lint

.PHONY: generate
generate: ## make anew what is made of the pages and of the API's contract
	$(TOOL) templ generate -path views
	$(TOOL) oapi-codegen -config web/api/types.yaml web/api/openapi.yaml
	$(GO) test ./web/api -run '^TestTheReferenceIsCurrent$$' -update

.PHONY: fmt
fmt: ## format Go and the pages
	gofmt -w $(shell git ls-files --cached --others --exclude-standard '*.go')
	$(TOOL) templ fmt views

.PHONY: program
program:
	@mkdir -p $(dir $(PROGRAM))
	$(GO) build -buildvcs=false -o $(PROGRAM) ./cmd/garminlink

.PHONY: chromium
chromium:
	@.ci/chromium

.PHONY: axe
axe:
	@.ci/axe

.PHONY: redis
redis:
	@.ci/redis

.PHONY: python
python:
	@.ci/python
