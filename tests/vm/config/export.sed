# SPDX-License-Identifier: GPL-2.0-only
# file: kernel/trace/rv/rv.c
# Lets a module be a monitor.
/^int rv_register_monitor(/,/^}/ s/^}/&\nEXPORT_SYMBOL_GPL(rv_register_monitor);/
/^int rv_unregister_monitor(/,/^}/ s/^}/&\nEXPORT_SYMBOL_GPL(rv_unregister_monitor);/
