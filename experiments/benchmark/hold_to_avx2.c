/* Loaded before all other libraries of a process, this makes its processor one without AVX-512 and AMX, for all of them.
 *
 * Libraries ask the instruction CPUID what the processor can do. The kernel can let that instruction fault
 * (ARCH_SET_CPUID, on processors with the flag cpuid_fault); the handler then answers without those bits. Variables of
 * the environment do not suffice: XLA multiplies matrices by YNNPACK, which has none and goes on with AVX-512.
 *
 *   cc -O2 -fPIC -shared hold_to_avx2.c -o hold_to_avx2.so; LD_PRELOAD=./hold_to_avx2.so python ...
 */
#define _GNU_SOURCE
#include <asm/prctl.h>
#include <cpuid.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

/* leaf 7 of CPUID: the bits of AVX-512 in EBX, ECX, EDX, of AMX in EDX, and in subleaf 1 what has begun with them */
#define AVX512_EBX 0xdc230000u
#define AVX512_ECX 0x00005842u
#define AVX512_AMX_EDX 0x03c0010cu
#define BF16_FP16_EAX 0x00200020u
#define COMPLEX_AVX10_EDX 0x00080100u

static struct sigaction before;

static long cpuid_allowed(int allowed) { return syscall(SYS_arch_prctl, ARCH_SET_CPUID, allowed); }

static void answer(int signal, siginfo_t *info, void *context) {
  greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
  const uint8_t *instruction = (const uint8_t *)registers[REG_RIP];
  uint32_t leaf = registers[REG_RAX], subleaf = registers[REG_RCX], eax, ebx, ecx, edx;
  if (info->si_code != SI_KERNEL || instruction[0] != 0x0f || instruction[1] != 0xa2) { /* no CPUID: a real fault */
    sigaction(SIGSEGV, &before, 0);
    return;
  }
  cpuid_allowed(1);
  __cpuid_count(leaf, subleaf, eax, ebx, ecx, edx);
  cpuid_allowed(0);
  if (leaf == 7 && subleaf == 0) {
    ebx &= ~AVX512_EBX;
    ecx &= ~AVX512_ECX;
    edx &= ~AVX512_AMX_EDX;
  } else if (leaf == 7 && subleaf == 1) {
    eax &= ~BF16_FP16_EAX;
    edx &= ~COMPLEX_AVX10_EDX;
  }
  registers[REG_RAX] = eax;
  registers[REG_RBX] = ebx;
  registers[REG_RCX] = ecx;
  registers[REG_RDX] = edx;
  registers[REG_RIP] += 2;
}

__attribute__((constructor)) static void hold(void) {
  static const char refused[] = "hold_to_avx2: the kernel or the processor cannot let CPUID fault.\n";
  struct sigaction action = {.sa_sigaction = answer, .sa_flags = SA_SIGINFO | SA_NODEFER};
  sigaction(SIGSEGV, &action, &before);
  if (cpuid_allowed(0)) {
    write(2, refused, sizeof refused - 1);
    _exit(2);
  }
}
