/// Ends at once and well: the least that a process can cost. It has no C library, whose own start would be
/// three quarters of the CPU.
extern "C" [[noreturn]] void _start() {
#if defined(__x86_64__)
  asm volatile("syscall" : : "a"(231), "D"(0));  // exit_group(0)
#elif defined(__aarch64__)
  register long number asm("x8") = 94;  // exit_group
  register long status asm("x0") = 0;
  asm volatile("svc 0" : : "r"(number), "r"(status));
#else
#error "write down here how a process ends on this machine"
#endif
  __builtin_unreachable();
}
