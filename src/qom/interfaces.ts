/** Interfaces: names that types claim, to be asked for instead of a concrete type. They have no instances. */

/** An interface of the object model. */
export interface QomInterface {
  readonly name: string;
  readonly description: string;
}

/** Types whose objects a user may create by `-object` or object-add (QEMU: qom/object_interfaces.h). */
export const USER_CREATABLE: QomInterface = Object.freeze({
  name: "user-creatable",
  description: "objects that a user may create with -object or object-add",
});
