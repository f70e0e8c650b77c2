// What the trust settings of a domain say of a root. Nobody is asked: they are read.
#ifndef KEYCHAIN_TRUST_STATE_H
#define KEYCHAIN_TRUST_STATE_H

#if defined(__APPLE__) || defined(SHIM_FAKE_KEYCHAIN)
#include "../../shim/root.h"

enum standing_kind {
  STANDING_NONE,     // the domain says nothing of it
  STANDING_TRUSTED,  // a root for TLS servers
  STANDING_DENIED,   // "never trust"
  STANDING_OTHER,    // settings that say nothing of TLS servers, or only of some of them
  STANDING_UNKNOWN,  // they cannot be read
};

// `status`: what macOS said when they were read.
struct standing {
  enum standing_kind kind;
  OSStatus status;
};

struct standing standing_of(SecCertificateRef root, SecTrustSettingsDomain domain);

#endif
#endif
