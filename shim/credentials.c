#include "credentials.h"

#include <grp.h>
#include <stddef.h>
#include <sys/types.h>
#include <unistd.h>

#include "harden.h"
#include "exit-codes.h"

#ifdef __linux__
#include <linux/capability.h>
#include <sys/syscall.h>
#endif

#ifdef __linux__
static bool capabilities(long call, struct __user_cap_data_struct data[static _LINUX_CAPABILITY_U32S_3]) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  return syscall(call, &header, data) == 0;
}

bool credentials_may_bind(void) {
  struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{0}};
  return capabilities(SYS_capget, data) && (data[0].effective & (1U << CAP_NET_BIND_SERVICE)) != 0;
}

static void drop_capabilities(void) {
  struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{0}};
  if (!capabilities(SYS_capset, data)) exit_with_errno(EXIT_DROP, "capabilities cannot be given up");
  if (credentials_may_bind()) exit_with(EXIT_DROP, "capabilities were not given up", NULL);
}

static bool take_ids(uid_t uid, gid_t gid) { return setresgid(gid, gid, gid) == 0 && setresuid(uid, uid, uid) == 0; }
#else
bool credentials_may_bind(void) { return false; }

static void drop_capabilities(void) {}

static bool take_ids(uid_t uid, gid_t gid) { return setgid(gid) == 0 && setuid(uid) == 0; }
#endif

void credentials_become_caller(void) {
  const uid_t uid = getuid();
  const gid_t gid = getgid();
  if (geteuid() != 0) {
    drop_capabilities();
  } else if (uid != 0) {
    const gid_t only = gid;
    if (setgroups(1, &only) != 0 || !take_ids(uid, gid)) exit_with_errno(EXIT_DROP, "privileges cannot be given up");
    if (setuid(0) == 0 || geteuid() != uid || getegid() != gid) exit_with(EXIT_DROP, "privileges were not given up", NULL);
  }
  harden_against_tracing();
}

void credentials_become_root(void) {
  const gid_t only = 0;
  harden_against_signals();
  if (setgroups(1, &only) != 0 || !take_ids(0, 0)) exit_with_errno(EXIT_DROP, "it cannot become root");
  harden_against_tracing();
}
