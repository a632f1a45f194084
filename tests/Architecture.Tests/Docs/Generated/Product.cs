using System.Reflection;
using Orders.Workers;
using QueueWorkers.Steps;

namespace Orders.Architecture.Tests.Docs.Generated;

/// <summary>The assemblies that the hosts are made of.</summary>
internal static class Product
{
    /// <summary>All members that a type declares itself.</summary>
    public const BindingFlags Declared =
        BindingFlags.Public
        | BindingFlags.NonPublic
        | BindingFlags.Static
        | BindingFlags.Instance
        | BindingFlags.DeclaredOnly;

    public static IReadOnlyList<Assembly> Assemblies { get; } =
    [
        typeof(StepCatalogue).Assembly,
        Assembly.Load("Orders.Infrastructure"),
        Assembly.Load("Orders.Smtp"),
        typeof(Steps).Assembly,
        Assembly.Load("Orders.Producer.Api"),
        Assembly.Load("Orders.Dashboard"),
    ];
}
