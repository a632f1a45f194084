using Microsoft.Extensions.Configuration;

namespace Orders.Workers.Tests;

/// <summary>Configurations, written as an operator would set them.</summary>
internal static class Settings
{
    public const string WarehouseSecret = "whsec_efOEV9r4CVjKg0dVUNpcP6+8gjfuR5aq";

    public static IConfiguration Of(params (string Name, string? Value)[] values) =>
        new ConfigurationBuilder().AddInMemoryCollection(values.ToDictionary(v => v.Name, v => v.Value)).Build();
}
