/* The functions of this module for Node.js. */
#ifndef FUNCTIONS_H
#define FUNCTIONS_H

#include "node-api.h"

/* trim(): returns true when it returned memory to the system. */
napi_value trim(napi_env env, napi_callback_info info);

/* isUnread(descriptor): returns true when no process can read what is written to a pipe or socket. */
napi_value is_unread(napi_env env, napi_callback_info info);

#endif
