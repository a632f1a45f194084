using Orders.Workers;
using QueueWorkers.Steps.Endpoints;

namespace Orders.Architecture.Tests.Docs.Generated;

/// <summary>The table of steps, as <c>Workers describe</c> prints it.</summary>
internal static class StepsPart
{
    public static string Write() => Description.Of(Steps.Catalogue);
}
