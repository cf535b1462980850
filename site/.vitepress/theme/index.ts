// Without the fonts of the theme: those of the system are there at once, and nothing has to be fetched.
import theme from 'vitepress/theme-without-fonts'
import './style.css'

export default theme
