/// Empty: CMake wants a file that uses the precompiled header of the tests, and main.cpp reads catch.hpp in a
/// way of its own.
