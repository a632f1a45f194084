namespace Orders.Workers.Warehouse;

/// <summary>
/// The warehouse cannot be told now: a transient fault, which counts as an attempt. It carries no inner exception: a timeout among them would be taken for the database's,
/// whose faults are nobody's attempt.
/// </summary>
public sealed class WarehouseUnavailableException(string message) : Exception(message);
