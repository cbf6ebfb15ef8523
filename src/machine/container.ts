/** Where the dependencies of types come from: a container of tsyringe 4, this package's own copy or the embedder's. */
import { QomError } from "../base/errors.js";
import { typeMetadata } from "../qom/decorators.js";
import type { QomType } from "../qom/decorators.js";
import { injectedParameters, isDelayed } from "../qom/inject.js";
import type { InjectionToken } from "../qom/inject.js";
import type { QomObject } from "../qom/object.js";
import { container as rootContainer } from "tsyringe"; // after what loads reflect-metadata

/** What a token resolves to. */
export type DependencyProvider<T> =
  /** This value. */
  | { readonly useValue: T }
  /** What the function gives, which is called each time. */
  | { readonly useFactory: (container: DependencyContainer) => T };

/** What a machine needs of a container. Every container of tsyringe 4 has it, whichever copy of tsyringe it is from. */
export interface DependencyContainer {
  /** Sets what a token resolves to. */
  register<T>(token: InjectionToken<T>, provider: DependencyProvider<T>): unknown;
  /** Whether the token is registered, with `recursive` here or in a container that this one is a child of. */
  isRegistered(token: InjectionToken, recursive?: boolean): boolean;
  /** What the token resolves to; for a class that is not registered, an instance. @throws Error if it cannot be resolved */
  resolve<T>(token: InjectionToken<T>): T;
  /** Everything that is registered for the token. @throws Error if nothing is */
  resolveAll<T>(token: InjectionToken<T>): T[];
  /** A container that has what this one has, and whose own registrations go before. */
  createChildContainer(): DependencyContainer;
}

/** An empty container, for {@link MachineOptions.container}: it shares nothing with any other. */
export function createContainer(): DependencyContainer {
  return rootContainer.createChildContainer();
}

/** Registers a dependency unless the embedder's container has one already. */
export function provide(container: DependencyContainer, token: symbol, value: object): void {
  if (!container.isRegistered(token, true)) container.register(token, { useValue: value });
}

/**
 * Makes an object of a type: what the container has for the class if that was registered, else an instance with the dependencies that
 * `@inject` asks for. A container of another copy of tsyringe does not know of these, so they are looked up one by one.
 * @throws QomError `type-definition` for a dependency that cannot be resolved
 */
export function construct(container: DependencyContainer, type: QomType): QomObject {
  if (container.isRegistered(type, true)) return container.resolve<QomObject>(type);
  const dependencies = (injectedParameters(type) ?? []).map((parameter, index) => {
    try {
      return resolveParameter(container, parameter);
    } catch (cause) {
      if (cause instanceof QomError) throw cause;
      const owner = `the constructor of ${type.name} (type '${typeMetadata(type)?.name ?? type.name}')`;
      throw new QomError("type-definition", `parameter ${index} of ${owner} has a dependency that cannot be resolved`, { cause });
    }
  });
  // A QomType may be abstract, and its dependencies are not typed; the factory has refused abstract types before.
  const Concrete = type as unknown as new (...given: readonly unknown[]) => QomObject;
  return new Concrete(...dependencies);
}

/** What tsyringe's decorators record of a parameter that is more than a token. */
interface ParameterRecord {
  readonly token: InjectionToken;
  /** Of `injectAll`. */
  readonly multiple?: boolean;
  readonly isOptional?: boolean;
  /** Of `injectWithTransform` and `injectAllWithTransform`. */
  readonly transform?: InjectionToken<Transform>;
  readonly transformArgs?: readonly unknown[];
}

interface Transform {
  transform(value: unknown, ...given: readonly unknown[]): unknown;
}

function resolveParameter(container: DependencyContainer, parameter: unknown): unknown {
  const record = isRecord(parameter) ? parameter : { token: parameter as InjectionToken }; // what is recorded otherwise is a token alone
  const value = valueOf(container, record);
  if (record.transform === undefined) return value;
  return container.resolve(record.transform).transform(value, ...(record.transformArgs ?? []));
}

function valueOf(container: DependencyContainer, { token, multiple = false, isOptional = false }: ParameterRecord): unknown {
  // The container knows only what its own copy of tsyringe delays.
  if (isDelayed(token)) return token.createProxy((target) => container.resolve(target));
  if (isOptional && typeof token !== "function" && !container.isRegistered(token, true)) return multiple ? [] : undefined;
  return multiple ? container.resolveAll(token) : container.resolve(token);
}

function isRecord(parameter: unknown): parameter is ParameterRecord {
  return typeof parameter === "object" && parameter !== null && "token" in parameter;
}
