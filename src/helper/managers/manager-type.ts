/** Type of the manager that the helper is without any object: its workers send commands by SG_IO. */
export const SG_IO_MANAGER = "pr-manager-sgio";
