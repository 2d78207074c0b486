# A thin front for CMake: what a person types. The builds are in build/<preset>.
.PHONY: run build test bench bench-quick bench-tables install format lint fuzz clean

run: ## installs what is missing, builds, trains a network on handwritten digits
	@tools/install-deps run
	@mkdir -p build
	@cmake --preset release >build/release.log 2>&1 || { cat build/release.log; false; }
	@cmake --build --preset release >build/release.log 2>&1 || { cat build/release.log; false; }
	@tools/run-digits build/release/bprop

build:
	@tools/install-deps run
	cmake --preset release
	cmake --build --preset release

test: ## every test, see tools/test-all
	@tools/install-deps test
	@tools/test-all

bench bench-quick: ## the tables of docs/performance.md; peers by bench/install-peers
	@tools/install-deps bench
	@bench/build
	@bench/run $(if $(filter bench-quick,$@),--quick --json build/bench-quick.json)
	@$(if $(filter bench,$@),bench/run --docs)

bench-tables: build ## the defaults of training beside scikit-learn's MLP on many tables; an hour or more
	@bench/install-peers sklearn tables
	@bench/tables
	@bench/tables --docs

install: build ## PREFIX=/usr/local, DESTDIR=
	DESTDIR=$(DESTDIR) cmake --install build/release --prefix $(or $(PREFIX),/usr/local)

format:
	@find $(wildcard include src cli tests bench examples) -name '*.[ch]' -exec clang-format -i {} +

lint:
	@tools/install-deps test
	@tools/lint

fuzz: ## SECONDS=60 for each target
	@tools/install-deps fuzz
	@tools/fuzz-all $(or $(SECONDS),60)

clean:
	rm -rf build
