# What people do with gather; CMakeLists.txt says what exists. Every configuration has its folder under build/.
#
#   make          build/gather              make asan    tests under the address and undefined sanitizers
#   make demo     the main job, end to end  make tsan    tests under the thread sanitizer
#   make test     the tests (< 3 minutes)   make fuzz    two minutes of each fuzz target
#   make slow     the long tests            make bench   figures, side by side with the peers
#   make tidy     clang-tidy                make format  clang-format, in place
#   make check    all that a commit passes  make install PREFIX=/usr/local DESTDIR=

PREFIX ?= /usr/local
CXX19 := clang++-19
CMAKE_FLAGS := -G Ninja -DCMAKE_CXX_COMPILER=$(CXX19) -DCMAKE_INSTALL_PREFIX=$(PREFIX)
# In CI a warning is a failure, and so is a skipped test.
ifdef CI
CMAKE_FLAGS += -DGATHER_WERROR=ON
endif
FUZZ_SECONDS ?= 120
CTEST := ctest --output-on-failure -j 2
SOURCES = $(shell git ls-files -co --exclude-standard '*.cpp' '*.hpp')

.DEFAULT_GOAL := gather
.PHONY: gather demo test slow asan tsan tidy format format-check bench fuzz install check clean

define configured
@test -f build/$(1)/build.ninja || cmake -S . -B build/$(1) $(CMAKE_FLAGS) $(2) > build-$(1).log 2>&1 || \
  { cat build-$(1).log; rm -f build-$(1).log; exit 1; }
@rm -f build-$(1).log
endef

# Shows what is being built, and says nothing when nothing is.
define built
@ninja -C build/$(1) -n $(2) | grep -q 'no work to do' || ninja -C build/$(1) $(2)
endef

gather:
	@.ci/setup build
	$(call configured,release)
	$(call built,release,gather web_server)
	@ln -sfn release/cmd/gather build/gather

demo: gather
	@build/release/samples/web_server -- samples/demo.sh build/gather

test: gather
	@.ci/setup build test
	$(call built,release,)
	@cd build/release && $(CTEST) -LE slow

slow: gather
	@.ci/setup build test
	$(call built,release,)
	@cd build/release && $(CTEST) -L slow

asan:
	@.ci/setup build test sanitize
	$(call configured,asan,-DGATHER_SANITIZE=address$(comma)undefined)
	$(call built,asan,)
	@cd build/asan && $(CTEST) -LE slow

tsan:
	@.ci/setup build test sanitize
	$(call configured,tsan,-DGATHER_SANITIZE=thread)
	$(call built,tsan,)
	@cd build/tsan && $(CTEST) -LE slow

tidy:
	@.ci/setup build tidy
	$(call configured,release)
	$(call built,release,gather)
	@printf '%s\n' $(filter core/%.cpp cmd/%.cpp,$(SOURCES)) | xargs -P 2 -n 4 clang-tidy-19 --quiet -p build/release

format:
	@.ci/setup format
	@clang-format-19 -i $(SOURCES)

format-check:
	@.ci/setup format
	@clang-format-19 --dry-run -Werror $(SOURCES)

bench: gather
	@.ci/setup build bench
	$(call built,release,)
	@/usr/bin/python3 tests/bench/bench.py build/release

fuzz:
	@.ci/setup build sanitize
	$(call configured,fuzz,-DGATHER_FUZZ=ON -DGATHER_FUZZ_SECONDS=$(FUZZ_SECONDS) \
	  -DGATHER_SANITIZE=fuzzer-no-link$(comma)address$(comma)undefined)
	@ninja -C build/fuzz fuzz

# The program, and gather as a library: headers, static and shared, for CMake and pkg-config.
install: gather
	$(call built,release,gather_package)
	@DESTDIR=$(DESTDIR) cmake --install build/release --prefix $(abspath $(PREFIX))

check: format-check test asan tsan tidy

clean:
	@rm -rf build

comma := ,
