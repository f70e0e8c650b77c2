/*
 * A Node.js module with one function: trim(), which calls malloc_trim(3). After thousands of TLS connections glibc keeps ten times the
 * memory in use unless a program calls it. The module links no library, so that it loads with any libc; without malloc_trim, trim() does
 * nothing. It declares only the functions of Node-API (https://nodejs.org/api/n-api.html, version 1) that it calls.
 */
#include <stdbool.h>
#include <stddef.h>

typedef struct napi_env__ *napi_env;
typedef struct napi_value__ *napi_value;
typedef struct napi_callback_info__ *napi_callback_info;
typedef napi_value (*napi_callback)(napi_env env, napi_callback_info info);
enum { NAPI_OK = 0 };

int napi_create_function(napi_env env, const char *name, size_t length, napi_callback call, void *data, napi_value *made);
int napi_get_boolean(napi_env env, bool value, napi_value *made);
int napi_set_named_property(napi_env env, napi_value object, const char *name, napi_value value);
int malloc_trim(size_t pad) __attribute__((weak));

napi_value napi_register_module_v1(napi_env env, napi_value exports);

/* Returns true when it returned memory to the system. */
static napi_value trim(napi_env env, napi_callback_info info)
{
	napi_value done = NULL;
	(void)info;
	return napi_get_boolean(env, malloc_trim != NULL && malloc_trim(0) == 1, &done) == NAPI_OK ? done : NULL;
}

/* Returns NULL on failure, with the exception that Node-API has thrown. */
__attribute__((visibility("default"))) napi_value napi_register_module_v1(napi_env env, napi_value exports)
{
	napi_value function = NULL;
	if (napi_create_function(env, "trim", 4, trim, NULL, &function) != NAPI_OK)
		return NULL;
	return napi_set_named_property(env, exports, "trim", function) == NAPI_OK ? exports : NULL;
}
