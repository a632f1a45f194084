namespace Orders.Bench.Load.Systems;

/// <summary>A text file that is built into the program.</summary>
public static class Resource
{
    public static async Task<string> ReadAsync(string name, CancellationToken cancel)
    {
        await using var resource =
            typeof(Resource).Assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException(
                $"expected a file {name} in the program, found none: add it to Load.csproj as EmbeddedResource"
            );
        using var reader = new StreamReader(resource);
        return await reader.ReadToEndAsync(cancel);
    }
}
