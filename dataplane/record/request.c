#include "record/request.h"

#include <stdlib.h>
#include <time.h>

void td_request_list_init(struct td_request_list *list)
{
	pthread_condattr_t monotonic;

	*list = (struct td_request_list){ .stop = false };
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&list->wake, &monotonic);
	pthread_condattr_destroy(&monotonic);
	pthread_mutex_init(&list->lock, NULL);
}

void td_request_list_fini(struct td_request_list *list)
{
	struct td_request *request;

	while ((request = td_request_take(list)) != NULL)
		free(request);
	pthread_mutex_destroy(&list->lock);
	pthread_cond_destroy(&list->wake);
}

struct td_request *td_request_make(enum td_request_kind kind, struct td_tap_id tap)
{
	struct td_request *request = calloc(1, sizeof *request);

	if (request) {
		request->kind = (uint8_t)kind;
		request->tap = tap;
	}
	return request;
}

static bool is_small(const struct td_request *request)
{
	return request->kind == TD_REQUEST_NOTE || request->kind == TD_REQUEST_CONTROL;
}

void td_request_push(struct td_request_list *list, struct td_request *request)
{
	pthread_mutex_lock(&list->lock);
	request->next = NULL;
	if (list->last)
		list->last->next = request;
	else
		list->first = request;
	list->last = request;
	list->waiting += is_small(request);
	pthread_cond_signal(&list->wake);
	pthread_mutex_unlock(&list->lock);
}

struct td_request *td_request_take(struct td_request_list *list)
{
	struct td_request *request;

	pthread_mutex_lock(&list->lock);
	request = list->first;
	if (request) {
		list->first = request->next;
		if (!list->first)
			list->last = NULL;
		list->waiting -= is_small(request);
	}
	pthread_mutex_unlock(&list->lock);
	return request;
}

void td_request_stop(struct td_request_list *list)
{
	pthread_mutex_lock(&list->lock);
	list->stop = true;
	pthread_cond_signal(&list->wake);
	pthread_mutex_unlock(&list->lock);
}

bool td_request_wait(struct td_request_list *list, uint64_t until_ns)
{
	struct timespec until = { .tv_sec = (time_t)(until_ns / 1000000000u),
				  .tv_nsec = (long)(until_ns % 1000000000u) };
	bool stop;

	pthread_mutex_lock(&list->lock);
	if (!list->stop && !list->first)
		pthread_cond_timedwait(&list->wake, &list->lock, &until);
	stop = list->stop && !list->first;
	pthread_mutex_unlock(&list->lock);
	return !stop;
}

uint32_t td_request_waiting(struct td_request_list *list)
{
	uint32_t waiting;

	pthread_mutex_lock(&list->lock);
	waiting = list->waiting;
	pthread_mutex_unlock(&list->lock);
	return waiting;
}
