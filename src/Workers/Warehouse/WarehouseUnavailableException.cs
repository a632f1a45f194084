namespace Orders.Workers.Warehouse;

/// <summary>The warehouse cannot be told now; a transient fault.</summary>
public sealed class WarehouseUnavailableException(string message) : Exception(message);
