# GigMate in two commands: `make live` plays, `make test` proves. Both build what they need into .venv, once.
#
#   make live            install, then play along on input 1, output 1,2 (ARGS="--input 2 --preset funk" for others)
#   make test            install the test tools too, check the style and the types, run the fast tests
#   make plugin          build gigmate.lv2 and gigmate.clap for hosts such as Ardour, and install them into ~/.lv2 and ~/.clap
#   make bench           how fast this machine is
#   make soak            hours of sound through the whole engine: nothing lost, memory and pace flat (GIGMATE_SOAK_SECONDS)
#   make bench-latency   a loop measured by us and by jack_iodelay, side by side
#   make pictures        draw docs/pictures anew
#   make lint            style and types alone
#   make release         wheel and sdist in dist/, of the tag that is checked out; and the wheel's modules imported
#   make clean           remove .venv and everything made
#
# Variables: PYTHON (3.10 to 3.13), ARGS (options of the command), TORCH_INDEX (a pip index that holds CPU builds
# of torch), SYSTEM=no (install no system packages), LV2_DIR, CLAP_DIR and DESTDIR (other
# folders for the plug-ins), WORKERS (processes that test at the same time, of up to a gigabyte each; 2).

TORCH_VERSION := 2.13.0
VENV := .venv
DONE := .make
PIP := $(VENV)/bin/python -m pip --disable-pip-version-check install -qq --constraint constraints.txt
INDEX := $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX))
ARGS ?=
LV2_DIR ?= $(HOME)/.lv2
CLAP_DIR ?= $(HOME)/.clap
SYSTEM ?= yes
WORKERS ?= 2

# What pip cannot bring. `make live` can do without: it rehearses then, with the neural voice alone.
SYSTEM_LIVE := libportaudio2 libjack-jackd2-0
SYSTEM_SOUNDS := libfluidsynth3 musescore-general-soundfont-small
SYSTEM_TEST := libportaudio2 portaudio19-dev jackd2 strace fluidsynth libfluidsynth3 fluid-soundfont-gm \
               musescore-general-soundfont-small csound-soundfont lv2-dev lilv-utils sordi jalv qtractor
SYSTEM_PLUGIN := lv2-dev

.PHONY: live test plugin bench soak bench-latency pictures lint release clean help system-live system-test system-plugin
.SUFFIXES:

help:
	@sed -n 's/^#   //p' Makefile

live: system-live $(DONE)/live
	@$(VENV)/bin/gigmate-live $(ARGS)

# Python keeps what it compiled, wherever the environment says that it should not: each process, and each program that a
# test starts, would compile hundreds of modules again.
test: export PYTHONDONTWRITEBYTECODE :=

# Each file in one process. More than two at once gain nothing on two cores, and make tests of time fail.
test: system-test lint
	@$(VENV)/bin/python tests/compile_callbacks.py
	@$(VENV)/bin/python -m pytest -n $(WORKERS) --dist loadfile $(ARGS)

plugin: system-plugin $(DONE)/live
	@$(VENV)/bin/gigmate plugin install --to "$(DESTDIR)$(LV2_DIR)" --command "$(abspath $(VENV)/bin/gigmate)"
	@$(VENV)/bin/gigmate plugin install --format clap --to "$(DESTDIR)$(CLAP_DIR)" --command "$(abspath $(VENV)/bin/gigmate)"

bench: $(DONE)/live
	@$(VENV)/bin/gigmate bench $(ARGS)

soak: system-test $(DONE)/test
	@$(VENV)/bin/python -m pytest -m soak -s tests/soak $(ARGS)

bench-latency: system-test $(DONE)/live
	@$(VENV)/bin/python tests/latency/against_iodelay.py

pictures: system-test $(DONE)/test
	@$(VENV)/bin/python tests/pictures.py

# mypy finds a package by its folder's name, and this folder may have any: the link gives it the right one.
lint: $(DONE)/test
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check --quiet . || { echo "make: run .venv/bin/ruff format ." >&2; exit 1; }
	@mkdir -p $(DONE)/typing && ln -sfn ../.. $(DONE)/typing/gigmate
	@$(VENV)/bin/mypy

# What a publisher would upload. Nothing is uploaded.
release: $(DONE)/live
	@tag=$$(git describe --exact-match --tags HEAD 2>/dev/null) && git diff --quiet HEAD || { \
	  echo "make: a release is made of a tag with nothing changed: git tag v0.1.0" >&2; exit 1; }; \
	version=$$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml); \
	[ "$$tag" = "v$$version" ] || { echo "make: the tag is $$tag, and pyproject.toml says $$version" >&2; exit 1; }
	@$(PIP) build
	@rm -rf dist man $(DONE)/release && $(VENV)/bin/gigmate man --to man >/dev/null
	@$(VENV)/bin/python -m build --outdir dist . >$(DONE)/build.log 2>&1 || { \
	  tail -5 $(DONE)/build.log >&2; exit 1; }
	@$(VENV)/bin/python -m venv $(DONE)/release
	@$(DONE)/release/bin/python -m pip --disable-pip-version-check install -qq --constraint constraints.txt \
	  $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX)) dist/*.whl
	@cd $(DONE) && release/bin/python ../tests/release/import_all.py && release/bin/gigmate --version
	@ls dist

clean:
	rm -rf $(VENV) $(DONE) build dist man *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# ------------------------------------------------------------------------------------------------- installing

# An interpreter in range, that can also make environments.
FIND_PYTHON = for python in $(PYTHON) python3 python3.13 python3.12 python3.11 python3.10 python; do \
	  command -v $$python >/dev/null 2>&1 && \
	  $$python -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && break; \
	  python=; \
	done

# apt, if it is there and may be used without asking for a password. $(1): packages. Fails where they stay missing.
APT = missing=; for package in $(1); do \
	  dpkg-query -W -f '$${Status}' $$package 2>/dev/null | grep -q 'ok installed' || missing="$$missing $$package"; \
	done; \
	if [ -n "$$missing" ]; then \
	  sudo=; [ "$$(id -u)" = 0 ] || sudo="sudo -n"; \
	  if command -v apt-get >/dev/null 2>&1 && { [ -z "$$sudo" ] || sudo -n true 2>/dev/null; }; then \
	    echo "make: installing$$missing"; \
	    export DEBIAN_FRONTEND=noninteractive; \
	    { $$sudo apt-get update -qq && $$sudo apt-get install -y -qq --no-install-recommends $$missing; } >$(DONE)/apt.log 2>&1 \
	      || { tail -3 $(DONE)/apt.log >&2; echo "make: apt-get could not install$$missing" >&2; false; }; \
	  else \
	    echo "make: missing system packages; run: sudo apt-get install$$missing" >&2; false; \
	  fi; \
	fi

HAS_LIBRARY = { PATH="$$PATH:/sbin:/usr/sbin"; ldconfig -p 2>/dev/null | grep -q "$(1)"; }

# The page for the phone is driven in it. Ubuntu's apt has none that runs without snap: there Chrome or a snap will do.
HAS_BROWSER = command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1 || \
              command -v google-chrome >/dev/null 2>&1

HAS_BANK = ls /usr/share/sounds/sf[23]/*.sf[23] >/dev/null 2>&1

system-live:
	@mkdir -p $(DONE)
	@if [ "$(SYSTEM)" = yes ] && [ "$$(uname -s)" = Linux ]; then \
	  { $(call HAS_LIBRARY,libportaudio.so.2) && $(call HAS_LIBRARY,libjack.so.0); } || { $(call APT,$(SYSTEM_LIVE)); } \
	  || echo "make: going on without them" >&2; \
	  { $(call HAS_LIBRARY,libfluidsynth.so.3) && $(HAS_BANK); } || { $(call APT,$(SYSTEM_SOUNDS)); } \
	  || echo "make: going on without instruments" >&2; \
	fi

system-plugin:
	@mkdir -p $(DONE)
	@if [ "$(SYSTEM)" = yes ] && [ "$$(uname -s)" = Linux ] && [ ! -f /usr/include/lv2/core/lv2.h ]; then \
	  { $(call APT,$(SYSTEM_PLUGIN)); } || true; \
	fi

system-test:
	@mkdir -p $(DONE)
	@if [ "$(SYSTEM)" = yes ] && [ "$$(uname -s)" = Linux ]; then \
	  { $(call APT,$(SYSTEM_TEST)); } && { command -v jack_lsp >/dev/null || { $(call APT,jack-example-tools); }; } && \
	  { $(HAS_BROWSER) || { $(call APT,chromium fonts-dejavu-core); } || \
	    echo "make: no Chromium: the tests of the page are left out" >&2; }; \
	fi

# An environment that was removed by hand is made again, and all that was installed into it.
ifeq ($(wildcard $(VENV)/bin/python),)
.PHONY: $(DONE)/venv
endif
$(DONE)/venv:
	@mkdir -p $(DONE)
	@$(FIND_PYTHON); \
	if [ -z "$$python" ]; then \
	  echo "make: no Python 3.10 to 3.13 on the path: install one, or name it with PYTHON=/path/to/python3" >&2; exit 1; \
	fi; \
	if ! $$python -c 'import ensurepip, venv' 2>/dev/null; then \
	  { $(call APT,python3-venv); } && $$python -c 'import ensurepip, venv' 2>/dev/null || { \
	    echo "make: $$python cannot make environments: install its venv module (Debian, Ubuntu: python3-venv)" >&2; \
	    exit 1; }; \
	fi; \
	echo "make: making $(VENV) with $$($$python --version)"; \
	$$python -m venv --clear $(VENV)
	@touch $@

# torch comes first and by itself, as the build for CPUs (a local version, which plain pip prefers where it is seen).
# The standard build is taken only where it is no larger, or where there is a GPU for it: never CUDA without one.
$(DONE)/torch: $(DONE)/venv constraints.txt
	@echo "make: installing torch $(TORCH_VERSION)"
	@$(PIP) $(INDEX) "torch==$(TORCH_VERSION)+cpu" >$(DONE)/torch.log 2>&1 || { \
	  if [ "$$(uname -s)-$$(uname -m)" = Linux-x86_64 ] && ! command -v nvidia-smi >/dev/null 2>&1; then \
	    echo "make: pip sees no CPU build of torch (see $(DONE)/torch.log), and the standard one brings gigabytes of CUDA:" \
	      "run make again with TORCH_INDEX=URL, the CPU index that pytorch.org names under Get started" >&2; \
	    exit 1; \
	  fi; \
	  $(PIP) $(INDEX) "torch==$(TORCH_VERSION)"; }
	@touch $@

$(DONE)/live: $(DONE)/torch pyproject.toml
	@echo "make: installing GigMate"
	@$(PIP) --editable .
	@touch $@

# PyAudio has no wheels for Linux: it wants a compiler and the headers of Python and PortAudio.
$(DONE)/test: $(DONE)/live
	@if [ "$(SYSTEM)" = yes ] && [ "$$(uname -s)" = Linux ]; then \
	  header=$$($(VENV)/bin/python -c 'import sysconfig; print(sysconfig.get_path("include") + "/Python.h")'); \
	  [ -f "$$header" ] && [ -f /usr/include/portaudio.h ] || { $(call APT,build-essential python3-dev portaudio19-dev); }; \
	fi
	@echo "make: installing the test tools"
	@$(PIP) --editable '.[all,test,lint]'
	@$(PIP) --no-deps encodec einops  # to compare with, by tests alone: its licence keeps it out of every install
	@touch $@
