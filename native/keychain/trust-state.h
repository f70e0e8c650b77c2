// Reads the trust settings of a domain for a root, without a prompt.
#ifndef KEYCHAIN_TRUST_STATE_H
#define KEYCHAIN_TRUST_STATE_H

#if defined(__APPLE__) || defined(SHIM_FAKE_KEYCHAIN)
#include "../../shim/root.h"

enum trust_state_kind {
  TRUST_STATE_NONE,     // no settings for the root
  TRUST_STATE_TRUSTED,  // a root for TLS servers
  TRUST_STATE_DENIED,   // "never trust"
  TRUST_STATE_OTHER,    // settings that do not cover TLS servers, or only some of them
  TRUST_STATE_UNKNOWN,  // unreadable
};

// `status`: the OSStatus of reading them.
struct trust_state {
  enum trust_state_kind kind;
  OSStatus status;
};

struct trust_state trust_state_of(SecCertificateRef root, SecTrustSettingsDomain domain);

#endif
#endif
