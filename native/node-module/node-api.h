/*
 * The functions of Node-API (https://nodejs.org/api/n-api.html, version 1) that this module calls. It links no library, so that it loads
 * with any libc.
 */
#ifndef NODE_API_H
#define NODE_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct napi_env__ *napi_env;
typedef struct napi_value__ *napi_value;
typedef struct napi_callback_info__ *napi_callback_info;
typedef napi_value (*napi_callback)(napi_env env, napi_callback_info info);
enum { NAPI_OK = 0 };

int napi_create_function(napi_env env, const char *name, size_t length, napi_callback call, void *data, napi_value *made);
int napi_get_boolean(napi_env env, bool value, napi_value *made);
int napi_get_cb_info(napi_env env, napi_callback_info info, size_t *count, napi_value *args, napi_value *self, void **data);
int napi_get_value_int32(napi_env env, napi_value value, int32_t *number);
int napi_set_named_property(napi_env env, napi_value object, const char *name, napi_value value);

#endif
