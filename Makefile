# Both commands may be run again at any time, by root or not, also after a power cut.
SHELL := /bin/bash
PYTHON := .venv/bin/python
.DEFAULT_GOAL := help
.PHONY: help setup tools run test check bench shots stop

help: ## 列出命令
	@sed -nE 's/^([a-z]+):.*## (.*)/make \1\t\2/p' Makefile

setup: ## 装好运行所需的一切（系统软件包、.venv）
	@requirements/install.sh run

tools: ## 另外装好测试和检查所需的
	@requirements/install.sh test

# The demo shows passwords, so it is never on against a server of the operator's.
run: setup ## 建库、演示主业务、打开后台（端口 PORT，默认 8000）
	@DEMO=$${DEMO-$(if $(DATABASE_URL),0,1)} $(PYTHON) manage.py run

test: check ## 检查并运行全部测试
	@FUNDCENTER_PG=pginstall $(PYTHON) -m pytest -q tests/ledger tests/attacks
	@$(PYTHON) -m pytest -n 2 $(PYTEST)

check: tools ## 代码风格、类型、引用方向、迁移、模板
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports
	@$(PYTHON) manage.py makemigrations --check --dry-run
	@.venv/bin/djlint --quiet --check templates
	@.venv/bin/djlint --quiet --lint templates

bench: tools ## 计时
	@$(PYTHON) bench/run.py

shots: tools ## 重拍屏幕图片到 docs/shots/
	@$(PYTHON) docs/shots.py

stop: ## 停止内嵌数据库
	@$(PYTHON) -m fundcenter.database stop
