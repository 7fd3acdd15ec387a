/** Roles of a member, weakest first. A member without one has only what its grants name. */
export const ROLES = ['guest', 'admin', 'owner'] as const;

/** The least role that may do something; grants and scopes narrow it further. */
export type Role = (typeof ROLES)[number];

/** Whether a member of `role` may do what asks for `minimum`. */
export const roleSuffices = (role: Role, minimum: Role): boolean =>
  ROLES.indexOf(role) >= ROLES.indexOf(minimum);
