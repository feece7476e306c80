// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the KUnit suites of tests/modules/tlob_kunit reach of the module.
 */
#include <kunit/visibility.h>

#include "binding.h"
#include "error_log.h"
#include "kunit.h"
#include "monitor.h"
#include "reactor.h"
#include "rv.h"
#include "sched.h"
#include "script.h"
#include "trace.h"

const struct tlob_kunit_ops tlob_kunit_ops = {
	.owner = THIS_MODULE,
	.automaton = &automaton_tlob,
	.state_after = tlob_state_after,
	.mutex = &tlob_mutex,
	.monitor_enable = tlob_monitor_enable,
	.monitor_disable = tlob_monitor_disable,
	.monitor_enabled = tlob_monitor_enabled,
	.monitor_use_kernel = tlob_monitor_use_kernel,
	.sched_attach = tlob_sched_attach,
	.sched_detach = tlob_sched_detach,
	.table = &tlob_table,
	.table_alloc = tlob_table_alloc,
	.table_free = tlob_table_free,
	.table_add = tlob_table_add,
	.table_release_all = tlob_table_release_all,
	.window_expired = tlob_window_expired,
	.window_start = tlob_window_start,
	.window_stop = tlob_window_stop,
	.windows_end_task = tlob_windows_end_task,
	.windows_end_source = tlob_windows_end_source,
	.kernel_source = &tlob_kernel_source,
	.stats_alloc = tlob_stats_alloc,
	.stats_free = tlob_stats_free,
	.stats_stopped = tlob_stats_stopped,
	.stats_sum = tlob_stats_sum,
	.script_write = tlob_script_write,
	.bindings_show = tlob_bindings_show,
	.error_log_show = tlob_error_log_show,
	.reactors_show = tlob_reactors_show,
	.rv_registered = tlob_rv_registered,
	.rv_reactor = tlob_rv_reactor,
	.rv_monitoring_on = tlob_rv_monitoring_on,
	.event = &__tracepoint_event_tlob,
	.error = &__tracepoint_error_tlob,
	.error_env = &__tracepoint_error_env_tlob,
	.detail_env = &__tracepoint_detail_env_tlob,
	.done = &__tracepoint_done_tlob,
};
EXPORT_SYMBOL_IF_KUNIT(tlob_kunit_ops);
