using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Orders.Producer.Api.Docs;

/// <summary>
/// The OpenAPI document as text. It is made at the first question and kept: anybody may ask, and making it takes far
/// more processor than asking.
/// </summary>
internal sealed class DescriptionText(IServiceProvider services)
{
    private readonly Lock _lock = new();
    private Task<byte[]>? _made;

    /// <summary>The text, in UTF-8.</summary>
    public Task<byte[]> ReadAsync()
    {
        lock (_lock)
        {
            if (_made is null or { IsFaulted: true })
                _made = MakeAsync();
            return _made;
        }
    }

    private async Task<byte[]> MakeAsync()
    {
        var provider = services.GetRequiredKeyedService<IOpenApiDocumentProvider>(ApiDescription.Document);
        var document = await provider.GetOpenApiDocumentAsync(CancellationToken.None);
        await using var text = new MemoryStream();
        await document.SerializeAsJsonAsync(text, OpenApiSpecVersion.OpenApi3_1, CancellationToken.None);
        return text.ToArray();
    }
}
