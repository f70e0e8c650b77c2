/* A Node.js module of system calls that Node.js lacks. */
#include "functions.h"

napi_value napi_register_module_v1(napi_env env, napi_value exports);

/* Adds a function to the module. */
static bool add(napi_env env, napi_value exports, const char *name, size_t length, napi_callback call)
{
	napi_value function = NULL;
	return napi_create_function(env, name, length, call, NULL, &function) == NAPI_OK
		&& napi_set_named_property(env, exports, name, function) == NAPI_OK;
}

/* Returns NULL on failure, with the exception that Node-API has thrown. */
__attribute__((visibility("default"))) napi_value napi_register_module_v1(napi_env env, napi_value exports)
{
	bool is_whole = add(env, exports, "trim", 4, trim) && add(env, exports, "isUnread", 8, is_unread);
	return is_whole ? exports : NULL;
}
