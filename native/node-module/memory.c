/*
 * malloc_trim(3): after thousands of TLS connections glibc keeps ten times the memory in use unless a program calls it. Does nothing
 * with another libc.
 */
#include "functions.h"

int malloc_trim(size_t pad) __attribute__((weak));

napi_value trim(napi_env env, napi_callback_info info)
{
	napi_value done = NULL;
	(void)info;
	return napi_get_boolean(env, malloc_trim != NULL && malloc_trim(0) == 1, &done) == NAPI_OK ? done : NULL;
}
