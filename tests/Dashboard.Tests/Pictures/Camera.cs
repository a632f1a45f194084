using System.Text.RegularExpressions;
using Microsoft.Playwright;
using Orders.Dashboard.Tests.Pages;

namespace Orders.Dashboard.Tests.Pictures;

/// <summary>
/// Takes each page in light and in dark, from one load and so with the same figures, and on a phone. The browsers are
/// in one zone, write one language, and move nothing.
/// </summary>
internal sealed class Camera : IAsyncDisposable
{
    private const int DeskWidth = 1280;
    private const int DeskHeight = 800;
    private const int MostDeskHeight = 1200;
    private const int PhoneWidth = 390;
    private const int PhoneHeight = 844;
    private const int MostPhoneHeight = 1800;

    // WebP at a quality at which letters stay sharp: a page has some 60 KB. One full of text gets a lower quality
    // before it has more than 140 KB.
    private const string ToWebp = """
        async png => {
            const image = await createImageBitmap(await (await fetch(`data:image/png;base64,${png}`)).blob());
            const canvas = document.createElement('canvas');
            [canvas.width, canvas.height] = [image.width, image.height];
            canvas.getContext('2d').drawImage(image, 0, 0);
            const most = 140 * 1024 * 4 / 3;
            for (const quality of [0.6, 0.45, 0.3, 0.15]) {
                const webp = canvas.toDataURL('image/webp', quality).split(',')[1];
                if (webp.length <= most || quality === 0.15) return webp;
            }
        }
        """;

    private static readonly LocatorAssertionsToHaveTextOptions Soon = new() { Timeout = 60_000 };

    private readonly string _folder;
    private readonly Viewer _desk;
    private readonly Viewer _phone;
    private readonly IPage _darkroom;

    private Camera(string folder, Viewer desk, Viewer phone, IPage darkroom) =>
        (_folder, _desk, _phone, _darkroom) = (folder, desk, phone, darkroom);

    /// <summary>The page at a desk, to work with between two pictures.</summary>
    public IPage Desk => _desk.Page;

    /// <summary>What stands beside "Failures" in the navigation; null while that changes.</summary>
    public long? Failures { get; set; }

    /// <summary>Opens the browsers of an operator.</summary>
    public static async Task<Camera> OpenAsync(Uri dashboard, string name, string folder) =>
        new(
            folder,
            await Browsing.OpenAsync(dashboard, name, width: DeskWidth, height: DeskHeight),
            await Browsing.OpenAsync(dashboard, name, width: PhoneWidth, height: PhoneHeight),
            await Browsing.NewPageAsync("UTC", "en")
        );

    /// <summary>Takes a page in all looks.</summary>
    /// <param name="path">Its address.</param>
    /// <param name="picture">The name of its pictures.</param>
    /// <param name="ready">What the page has to show.</param>
    public async Task TakeAsync(string path, string picture, Func<IPage, Task>? ready = null)
    {
        await LoadAsync(_desk.Page, path, ready);
        await ShootAsync(_desk.Page, DeskWidth, DeskHeight, MostDeskHeight, $"{picture}-light");
        await _desk.Page.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Dark });
        await ShootAsync(_desk.Page, DeskWidth, DeskHeight, MostDeskHeight, $"{picture}-dark");
        await _desk.Page.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Light });
        await LoadAsync(_phone.Page, path, ready);
        await ShootAsync(_phone.Page, PhoneWidth, PhoneHeight, MostPhoneHeight, $"{picture}-phone");
    }

    private async Task LoadAsync(IPage page, string path, Func<IPage, Task>? ready)
    {
        if (new Uri(page.Url).PathAndQuery != path)
            await GoAsync(page, path);
        if (await page.Locator("#pulse").CountAsync() > 0)
        {
            await Assertions.Expect(page.Locator("#pulse")).ToHaveTextAsync("Live", Soon);
            if (Failures is { } failures)
            {
                // The badge counts failures by what the broker has said last: it has to agree with the page.
                await Assertions
                    .Expect(page.Locator("[href='/failures'] .badge"))
                    .ToHaveTextAsync(failures == 0 ? new Regex("^0?$") : new Regex($"^{failures}$"), Soon);
                // What was read before the badge was right is read again.
                await GoAsync(page, path);
                await Assertions.Expect(page.Locator("#pulse")).ToHaveTextAsync("Live", Soon);
            }
        }

        if (ready is not null)
            await ready(page);
        // On a busy machine a part of a page may say that the database did not answer in time.
        await Eventually.Is(
            async () =>
            {
                if (await page.Locator(".fault").CountAsync() == 0)
                    return true;
                await GoAsync(page, path);
                return false;
            },
            $"{path} has no part that failed",
            TimeSpan.FromMinutes(2)
        );
        // No caret, which comes and goes.
        await page.EvaluateAsync("document.activeElement?.blur()");
    }

    // As high as the page is: at a page's full height, what fills the window fills the picture.
    private async Task ShootAsync(IPage page, int width, int least, int most, string name)
    {
        await page.SetViewportSizeAsync(width, least);
        var height = Math.Clamp(await page.EvaluateAsync<int>("document.documentElement.scrollHeight"), least, most);
        await page.SetViewportSizeAsync(width, height);
        await page.EvaluateAsync("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))");
        var png = Convert.ToBase64String(await page.ScreenshotAsync());
        await File.WriteAllBytesAsync(
            Path.Combine(_folder, $"{name}.webp"),
            Convert.FromBase64String(await _darkroom.EvaluateAsync<string>(ToWebp, png))
        );
    }

    // Whoever starts a container changes the machine's network, and Chromium gives up what it is loading.
    private static async Task GoAsync(IPage page, string path)
    {
        for (var tries = 1; ; tries++)
            try
            {
                await page.GotoAsync(path, new() { Timeout = 60_000 });
                return;
            }
            catch (PlaywrightException fault)
                when (tries < 5 && fault.Message.Contains("ERR_NETWORK_CHANGED", StringComparison.Ordinal))
            {
                await TestContext.Out.WriteLineAsync($"{path} again: {fault.Message}");
            }
    }

    public async ValueTask DisposeAsync()
    {
        await _desk.DisposeAsync();
        await _phone.DisposeAsync();
        await _darkroom.Context.CloseAsync();
    }
}
