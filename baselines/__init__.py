"""What CSS is compared with: other fusions and other aggregators behind the interfaces of :mod:`css.interfaces`."""
