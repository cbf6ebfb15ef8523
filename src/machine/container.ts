/** The container of dependency injection: tsyringe's, made here and nowhere else. */
import "reflect-metadata";
import { container as rootContainer, type DependencyContainer } from "tsyringe";

/**
 * A container for {@link MachineOptions.container}: what is registered in it goes before the machine's own dependencies, and its
 * registrations are seen by nobody else. One of tsyringe itself does as well.
 */
export function createContainer(): DependencyContainer {
  return rootContainer.createChildContainer();
}

/** Registers a dependency unless whoever gave the container has registered one already. */
export function provide(container: DependencyContainer, token: symbol, value: object): void {
  if (!container.isRegistered(token, true)) container.register(token, { useValue: value });
}
