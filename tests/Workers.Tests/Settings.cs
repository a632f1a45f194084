using Microsoft.Extensions.Configuration;

namespace Orders.Workers.Tests;

/// <summary>Configurations, written as an operator would set them.</summary>
internal static class Settings
{
    public const string WarehouseSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    public static IConfiguration Of(params (string Name, string? Value)[] values) =>
        new ConfigurationBuilder().AddInMemoryCollection(values.ToDictionary(v => v.Name, v => v.Value)).Build();
}
