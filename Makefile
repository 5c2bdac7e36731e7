# Everything a person or a CI system starts: 'make' lists it.
.DEFAULT_GOAL := help
SHELL := /bin/sh
SITE ?= reference
BIN := .venv/bin
PACSLAB := lab/with-docker.sh $(BIN)/pacslab
# what a change is compared with; the night tries every role
BASE ?= $(shell git rev-parse --quiet --verify HEAD~1)
# the night runs those too that are marked as its own
LAB_TESTS ?= not night
# many tests wait for something: one process more than there are processors keeps all of these at work
PROCESSES ?= $(shell expr $$(nproc) + 1)
PYTHON_CODE := lab simulators tests roles
# Modules are compiled once, and not by each of the thousands of programs that tests start.
unexport PYTHONDONTWRITEBYTECODE
JUNIT = $(if $(CI_RESULTS),--junitxml=$(CI_RESULTS)/$@.xml)

.PHONY: help lab test night setup down clean lint unit coverage images setup-test setup-night role role-test lab-test lock docs

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

lab: setup ## bring up the lab, run the scenarios that its site is for, and prove its segmentation
	@$(PACSLAB) up --site $(SITE)
	@$(PACSLAB) scenario run --site $(SITE)
	@$(PACSLAB) verify segmentation containment --site $(SITE)

test: setup-test ## linters, unit tests and the building of images beside each other, changed roles, then lab tests in their own lab
	@$(MAKE) --no-print-directory --jobs=3 lint unit images
	@$(MAKE) --no-print-directory role-test lab-test

night: setup-night ## all of it and what takes longer: sabotages, abuse twins, every role and site, benches, a rebuild
	@$(BIN)/python -m tests.night

setup: ## install what is missing: packages, kernel limits, Docker, .venv
	@lab/setup.sh

down: setup ## remove the lab
	@$(PACSLAB) down --site $(SITE)

clean: down ## remove the lab, its files, its images and the package caches; says what keeps some
	@$(PACSLAB) build --site $(SITE) --remove
	@rm -rf .lab .mypy_cache .ruff_cache .pytest_cache

lint: setup-test ## ruff, mypy, import-linter, map of controls, sabotages, yamllint, ansible-lint
	@$(BIN)/ruff check $(PYTHON_CODE)
	@$(BIN)/ruff format --check $(PYTHON_CODE)
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo --no-cache
	@$(BIN)/python -m lab.controls
	@$(BIN)/python -m lab.verify
	@$(BIN)/yamllint --strict .
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/ansible-lint --offline --strict

unit: setup-test ## unit tests, which need no Docker
	@$(BIN)/pytest $(JUNIT) --numprocesses=$(PROCESSES) tests/unit

coverage: setup-test ## unit tests with their branch coverage, which may not fall; takes twice as long
	@$(BIN)/pytest $(JUNIT) --numprocesses=$(PROCESSES) --cov --cov-report=term:skip-covered tests/unit

images: setup-test ## build the images of the site: what waits for packages, tests can run beside
	@$(PACSLAB) build --site $(SITE)

role: setup ## try one role on one host: make role ROLE=name; without ROLE, those that changed
	@$(PACSLAB) role $(or $(ROLE),--changed)

role-test: setup-test ## try the roles that differ from BASE (the last commit but one) and have not passed so
	@$(PACSLAB) role --changed $(if $(BASE),--since $(BASE)) --lab test-role $(if $(CI_RESULTS),--junit $(CI_RESULTS)/$@.xml)

lab-test: setup-test ## lab tests, in a lab of their own
	@lab/with-docker.sh $(BIN)/pytest $(JUNIT) -m "$(LAB_TESTS)" tests/lab

lock: setup-test ## pin the Python packages of the hosts
	@$(BIN)/python -m lab.images.lock

docs: setup-test ## write the generated pages and the picture of docs/
	@$(BIN)/python -m lab.docs

setup-test:
	@lab/setup.sh simulators,test

# besides, the browser in which the viewer is tried
setup-night:
	@lab/setup.sh simulators,test browser
