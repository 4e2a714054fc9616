import type { RequestHandler, Router } from 'express';
import { NotFoundError } from '#kernel/app-error';
import { AppError } from '#kernel/app-error';

type Handlers = RequestHandler | readonly RequestHandler[];
type Methods = Readonly<Partial<Record<'get' | 'head' | 'post' | 'delete', Handlers>>>;

/** Adds one resource: what its methods do. Any other method is a 405 that says which there are. */
export type AddResource = (path: string, methods: Methods) => void;

/**
 * How routes are added to `router`. `before` runs first, on every method that exists.
 * `HEAD` is a method like the others: `GET` does not answer it.
 */
export const resourcesOn =
  (router: Router, before: readonly RequestHandler[] = []): AddResource =>
  (path, methods) => {
    const route = router.route(path);
    for (const [method, handlers] of Object.entries(methods)) {
      route[method as keyof Methods](...before, ...[handlers].flat());
    }
    const refuse = refuseMethod(Object.keys(methods));
    route.head(refuse).all(refuse);
  };

const refuseMethod = (methods: readonly string[]): RequestHandler => {
  const allow = methods.map((method) => method.toUpperCase()).join(', ');
  return (_req, res) => {
    res.set('Allow', allow);
    throw new AppError('METHOD_NOT_ALLOWED', { message: 'This resource has no such method.' });
  };
};

/** Answers whatever no route took. */
export const noSuchRoute: RequestHandler = () => {
  throw new NotFoundError('ROUTE_NOT_FOUND', { message: 'There is no such route.' });
};
